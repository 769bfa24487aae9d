// A model without a cache.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
func.func @main(%x: tensor<4xf32> {program.tensor = #program.tensor<"x", f32, dims ["4"], labels ["4"]>}) -> tensor<4xf32> {
  %y = onnx.node "Tanh" version 24 (%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}
