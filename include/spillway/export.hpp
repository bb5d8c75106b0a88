// include/spillway/export.hpp: marks what libspillway.so lets others see.
//
// Everything else is compiled with -fvisibility=hidden.

#pragma once

#define SPILLWAY_EXPORT __attribute__((visibility("default")))
