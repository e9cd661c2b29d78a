// SPDX-License-Identifier: Apache-2.0
// What every unit test needs before cmocka's own header, and a few words of ours.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/mem.h"
