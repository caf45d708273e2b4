// SPDX-License-Identifier: GPL-2.0-only
// procshare - no signal interrupts what must be done as a whole
#pragma once

#include <csignal>

namespace procshare {

// From construction on; what came meanwhile takes effect at its end.
class SignalBlock {
public:
    SignalBlock() {
        sigset_t all;

        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, &before_);
    }
    ~SignalBlock() { end(); }
    SignalBlock(const SignalBlock&) = delete;
    SignalBlock& operator=(const SignalBlock&) = delete;

    void end() const { sigprocmask(SIG_SETMASK, &before_, nullptr); }

private:
    sigset_t before_;
};

} // namespace procshare
