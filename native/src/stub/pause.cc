#include "scan/plain_pause.h"

namespace launchwarden {

std::unique_ptr<Pause> MakePause() { return std::make_unique<PlainPause>(); }

}  // namespace launchwarden
