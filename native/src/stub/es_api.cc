#include "es/make_api.h"

namespace launchwarden {

namespace {

class Unsupported final : public EsApi {
 public:
  std::unique_ptr<EsConnection> Connect(EsHandler, EsResult& result) override {
    result = EsResult::kUnsupported;
    return nullptr;
  }
};

}  // namespace

std::unique_ptr<EsApi> MakeEsApi() { return std::make_unique<Unsupported>(); }

}  // namespace launchwarden
