// tests/support/redis_client.hpp: a blocking client of the server that SPILLWAY_REDIS names.

#pragma once

#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <hiredis/hiredis.h>

namespace spillway::test {

class RedisClient {
 public:
  RedisClient() : context_{connect(), redisFree} {
    if (!context_ || context_->err != 0) throw std::runtime_error{"Redis cannot be reached"};
  }

  /// @throws std::runtime_error when Redis answers with an error, or not at all
  void command(const std::vector<std::string>& words) {
    std::vector<const char*> texts;
    std::vector<std::size_t> lengths;
    for (const std::string& word : words) {
      texts.push_back(word.data());
      lengths.push_back(word.size());
    }
    const std::unique_ptr<void, decltype(&freeReplyObject)> reply{
        redisCommandArgv(context_.get(), static_cast<int>(words.size()), texts.data(),
                         lengths.data()),
        freeReplyObject};
    if (!reply) throw std::runtime_error{words.front() + ": " + context_->errstr};
    const auto* answer = static_cast<const redisReply*>(reply.get());
    if (answer->type == REDIS_REPLY_ERROR) {
      throw std::runtime_error{words.front() + ": " + answer->str};
    }
  }

 private:
  // "redis://127.0.0.1:6379", as tools/stack writes it.
  static redisContext* connect() {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): no test changes its environment.
    const char* const url = std::getenv("SPILLWAY_REDIS");
    if (url == nullptr) throw std::runtime_error{"SPILLWAY_REDIS is not set"};
    const std::string text{url};
    const std::size_t host = text.find("//") + 2;
    const std::size_t colon = text.rfind(':');
    return redisConnect(text.substr(host, colon - host).c_str(), std::stoi(text.substr(colon + 1)));
  }

  std::unique_ptr<redisContext, decltype(&redisFree)> context_;
};

}  // namespace spillway::test
