// A decoder of two layers. Tests change a line of it with sed; the values they name are %between, %causal, %allowed, %out.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
!rows = tensor<?x?xi64, #onnx.dims<"b", "s">>
!mask = tensor<?x?xi64, #onnx.dims<"b", "p + s">>
!past = tensor<?x2x?x6xf32, #onnx.dims<"b", "2", "p", "6">>
!x = tensor<?x?x24xf32>
!kv = tensor<?x?x12xf32>
!any = tensor<*xf32>

func.func @main(
    %positions: !rows {program.tensor = #program.tensor<"a", i64, dims ["b", "s"], labels ["b", "s"]>},
    %ids: !rows {program.tensor = #program.tensor<"b", i64, dims ["b", "s"], labels ["b", "s"]>},
    %mask: !mask {program.tensor = #program.tensor<"c", i64, dims ["b", "p + s"], labels ["b", "p + s"]>},
    %v0: !past {program.tensor = #program.tensor<"d", f32, dims ["b", "2", "p", "6"], labels ["b", "2", "p", "6"]>},
    %k0: !past {program.tensor = #program.tensor<"e", f32, dims ["b", "2", "p", "6"], labels ["b", "2", "p", "6"]>},
    %k1: !past {program.tensor = #program.tensor<"f", f32, dims ["b", "2", "p", "6"], labels ["b", "2", "p", "6"]>},
    %v1: !past {program.tensor = #program.tensor<"g", f32, dims ["b", "2", "p", "6"], labels ["b", "2", "p", "6"]>})
    -> (tensor<?x?x40xf32> {program.tensor = #program.tensor<"h", f32, dims ["b", "s", "40"], labels ["b", "s", "40"]>},
    !any {program.tensor = #program.tensor<"i", f32, dims ["b", "2", "p + s", "6"], labels ["b", "2", "p + s", "6"]>},
    !any {program.tensor = #program.tensor<"j", f32, dims ["b", "2", "p + s", "6"], labels ["b", "2", "p + s", "6"]>},
    !any {program.tensor = #program.tensor<"k", f32, dims ["b", "2", "p + s", "6"], labels ["b", "2", "p + s", "6"]>},
    !any {program.tensor = #program.tensor<"l", f32, dims ["b", "2", "p + s", "6"], labels ["b", "2", "p + s", "6"]>}) {
  %zero = onnx.constant dense<0> : tensor<i64> -> tensor<i64>
  %one = onnx.constant dense<1> : tensor<i64> -> tensor<i64>
  %window = onnx.constant dense<5> : tensor<i64> -> tensor<i64>
  %axis0 = onnx.constant dense<0> : tensor<1xi64> -> tensor<1xi64>
  %axis1 = onnx.constant dense<1> : tensor<1xi64> -> tensor<1xi64>
  %axis2 = onnx.constant dense<2> : tensor<1xi64> -> tensor<1xi64>
  %axes12 = onnx.constant dense<[1, 2]> : tensor<2xi64> -> tensor<2xi64>
  %axes13 = onnx.constant dense<[1, 3]> : tensor<2xi64> -> tensor<2xi64>
  %shape4 = onnx.constant dense<1> : tensor<4xi64> -> tensor<4xi64>
  %table = onnx.constant dense<0.1> : tensor<40x24xf32> -> tensor<40x24xf32>
  %places = onnx.constant dense<0.1> : tensor<64x24xf32> -> tensor<64x24xf32>
  %turn = onnx.constant dense<0.1> : tensor<64x3xf32> -> tensor<64x3xf32>
  %wq = onnx.constant dense<0.1> : tensor<24x24xf32> -> tensor<24x24xf32>
  %wk = onnx.constant dense<0.1> : tensor<24x12xf32> -> tensor<24x12xf32>
  %head = onnx.constant dense<0.1> : tensor<24x40xf32> -> tensor<24x40xf32>

  // Keys up to the query's own position, where the mask is set.
  %length = onnx.node "Shape" version 24 (%mask) attributes {start = 1 : i64, end = 2 : i64} : (!mask) -> tensor<1xi64>
  %total = onnx.node "Squeeze" version 24 (%length) : (tensor<1xi64>) -> tensor<i64>
  %size = onnx.node "Shape" version 24 (%ids) attributes {start = 1 : i64, end = 2 : i64} : (!rows) -> tensor<1xi64>
  %new = onnx.node "Squeeze" version 24 (%size) : (tensor<1xi64>) -> tensor<i64>
  %start = onnx.node "Sub" version 24 (%total, %new) : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %keys = onnx.node "Range" version 24 (%zero, %total, %one) : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %range = onnx.node "Range" version 24 (%start, %total, %one) : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %queries = onnx.node "Unsqueeze" version 24 (%range, %axis1) : (tensor<?xi64>, tensor<1xi64>) -> tensor<?x1xi64>
  %causal = onnx.node "LessOrEqual" version 24 (%keys, %queries) : (tensor<?xi64>, tensor<?x1xi64>) -> tensor<?x?xi1>
  %bools = onnx.node "Cast" version 24 (%mask) attributes {to = 9 : i64} : (!mask) -> tensor<?x?xi1>
  %given = onnx.node "Unsqueeze" version 24 (%bools, %axes12) : (tensor<?x?xi1>, tensor<2xi64>) -> tensor<?x1x1x?xi1>
  %allowed = onnx.node "And" version 24 (%causal, %given) : (tensor<?x?xi1>, tensor<?x1x1x?xi1>) -> tensor<?x1x?x?xi1>

  %in = onnx.node "Gather" version 24 (%table, %ids) : (tensor<40x24xf32>, !rows) -> !x
  %q0 = onnx.node "MatMul" version 24 (%in, %wq) : (!x, tensor<24x24xf32>) -> !x
  %a0 = onnx.node "MatMul" version 24 (%in, %wk) : (!x, tensor<24x12xf32>) -> !kv
  %b0 = onnx.node "RotaryEmbedding" version 24 (%a0, %turn, %turn, %positions) attributes {num_heads = 2 : i64} : (!kv, tensor<64x3xf32>, tensor<64x3xf32>, !rows) -> !kv
  %y0, %nk0, %nv0 = onnx.node "Attention" version 24 (%q0, %b0, %a0, %allowed, %k0, %v0) attributes {q_num_heads = 4 : i64, kv_num_heads = 2 : i64} : (!x, !kv, !kv, tensor<?x1x?x?xi1>, !past, !past) -> (!x, !any, !any) loc("first")

  %between = onnx.node "Add" version 24 (%in, %y0) : (!x, !x) -> !x

  %q1 = onnx.node "MatMul" version 24 (%between, %wq) : (!x, tensor<24x24xf32>) -> !x
  %a1 = onnx.node "MatMul" version 24 (%between, %wk) : (!x, tensor<24x12xf32>) -> !kv
  %y1, %nk1, %nv1 = onnx.node "Attention" version 24 (%q1, %a1, %a1, %allowed, %k1, %v1) attributes {q_num_heads = 4 : i64, kv_num_heads = 2 : i64, scale = 0.5 : f32} : (!x, !kv, !kv, tensor<?x1x?x?xi1>, !past, !past) -> (!x, !any, !any) loc("second")
  %out = onnx.node "MatMul" version 24 (%y1, %head) : (!x, tensor<24x40xf32>) -> tensor<?x?x40xf32>
  return %out, %nk0, %nv0, %nk1, %nv1 : tensor<?x?x40xf32>, !any, !any, !any, !any
}
