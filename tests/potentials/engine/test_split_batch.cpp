#include <gtest/gtest.h>

#include <new>

#include "tamiz/core/base/error.hpp"
#include "tamiz/potentials/engine/mace/fused_trainable.hpp"
#include "tamiz/potentials/engine/training/split_batch.hpp"
#include "training_cases.hpp"

namespace {

using namespace tamiz;
using namespace tamiz::training_cases;

/// The fused engine on a machine whose memory holds so many frames at a time.
class Cramped final : public Trainable {
 public:
  explicit Cramped(std::size_t most)
      : most_(most), model_(make_fused_trainable(initial_model(mace_cases::small_description(0), 3), "float64", 1)) {}

  const ModelDescription& description() const override { return model_->description(); }
  std::vector<ParameterBlock> layout() const override { return model_->layout(); }
  void get_parameters(std::span<double> out) const override { model_->get_parameters(out); }
  void set_parameters(std::span<const double> values) override { model_->set_parameters(values); }
  double loss_gradient(std::span<const TrainingFrame* const> frames, const LossWeights& weights,
                       std::span<double> gradient) override {
    if (frames.size() > most_) throw std::bad_alloc();
    return model_->loss_gradient(frames, weights, gradient);
  }
  ModelFile to_model_file(const ModelCard& card) const override { return model_->to_model_file(card); }

 private:
  std::size_t most_;
  std::unique_ptr<Trainable> model_;
};

TEST(SplitBatch, parts_add_up_to_the_batch) {
  const auto frames = training_frames(teacher_frames(7));
  const auto batch = pointers(frames);
  Cramped roomy(7), cramped(2);
  std::vector<double> whole(size_of(roomy)), split(whole.size());
  SplitBatch one, several;

  const double loss = one.loss_gradient(roomy, batch, {}, whole);
  const double sum = several.loss_gradient(cramped, batch, {}, split);

  EXPECT_EQ(one.parts(), 1u);
  EXPECT_EQ(several.parts(), 4u);
  EXPECT_NEAR(sum, loss, 1e-12 * loss);
  double largest = 0.0, difference = 0.0;
  for (std::size_t k = 0; k < whole.size(); ++k) {
    largest = std::max(largest, std::abs(whole[k]));
    difference = std::max(difference, std::abs(whole[k] - split[k]));
  }
  EXPECT_LT(difference, 1e-11 * largest);
}

TEST(SplitBatch, a_frame_that_does_not_fit_is_an_error) {
  const auto frames = training_frames(teacher_frames(3));
  Cramped model(0);
  std::vector<double> gradient(size_of(model));

  EXPECT_THROW(SplitBatch().loss_gradient(model, pointers(frames), {}, gradient), CapabilityError);
}

}  // namespace
