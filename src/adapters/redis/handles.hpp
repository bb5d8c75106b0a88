// src/adapters/redis/handles.hpp: hiredis' handles, each with its release function.

#pragma once

#include <memory>

#include <hiredis/hiredis.h>

namespace spillway::redis {

template <auto release>
struct ReleasedBy {
  void operator()(auto* handle) const noexcept { release(handle); }
};

using Context = std::unique_ptr<redisContext, ReleasedBy<redisFree>>;
using Reply = std::unique_ptr<redisReply, ReleasedBy<freeReplyObject>>;

}  // namespace spillway::redis
