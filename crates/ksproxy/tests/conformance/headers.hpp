// The interfaces under test: on Windows by the SDK's own headers, elsewhere by kspipe.h.
#pragma once

#ifdef _WIN32

#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <windows.h>

#include <winioctl.h>

#include <dshow.h>

#include <ks.h>

// ksproxy.h declares the interfaces only for programs with the DirectShow base classes, or so it believes.
#ifndef __STREAMS__
#define __STREAMS__
#endif
#include <ksproxy.h>

// IKsPin's KsCreateSinkPinHandle takes C++ references there, which are pointers to the callee.
#define BY_REFERENCE(type) type &

#else

#include "kspipe.h"
#define BY_REFERENCE(type) type *

#endif
