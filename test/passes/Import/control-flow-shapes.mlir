// Shapes through If and Loop.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s -split-input-file -mxn-infer-shapes | FileCheck %s
// RUN: mxn-opt %s -split-input-file -mxn-infer-shapes --remarks-filter=mxn-infer-shapes --remark-format=emitRemark 2>&1 | FileCheck %s --check-prefix=REMARK

// A condition that follows from ranks chooses its branch now; the other one goes with the operator that nobody knows.
// CHECK-LABEL: @inline_known_branch
// CHECK-NOT: "If"
// CHECK-NOT: "Mystery"
// CHECK: %[[Y:.+]] = onnx.node "Unsqueeze"{{.*}} -> tensor<1x?x4xf32, #onnx.dims<"1", "n", "4">>
// CHECK: return %[[Y]]
func.func @inline_known_branch(%x: tensor<?x4xf32, #onnx.dims<"n", "4">>) -> tensor<*xf32> {
  %s = onnx.node "Shape" version 17 (%x) : (tensor<?x4xf32, #onnx.dims<"n", "4">>) -> tensor<2xi64>
  %r = onnx.node "Size" version 17 (%s) : (tensor<2xi64>) -> tensor<i64>
  %three = onnx.constant dense<3> : tensor<i64> -> tensor<i64>
  %e = onnx.node "Equal" version 17 (%r, %three) : (tensor<i64>, tensor<i64>) -> tensor<i1>
  %c = onnx.node "Not" version 17 (%e) : (tensor<i1>) -> tensor<i1>
  %b = onnx.node "Cast" version 17 (%c) attributes {to = 9 : i64} : (tensor<i1>) -> tensor<i1>
  %y = onnx.node "If" version 17 (%b) : (tensor<i1>) -> tensor<*xf32> "then_branch" {
    %zero = onnx.constant dense<0> : tensor<1xi64> -> tensor<1xi64>
    %u = onnx.node "Unsqueeze" version 17 (%x, %zero) : (tensor<?x4xf32, #onnx.dims<"n", "4">>, tensor<1xi64>) -> tensor<*xf32>
    onnx.yield %u : tensor<*xf32>
  } "else_branch" {
    %u = onnx.node "Mystery" version 17 (%x) : (tensor<?x4xf32, #onnx.dims<"n", "4">>) -> tensor<*xf32>
    onnx.yield %u : tensor<*xf32>
  }
  return %y : tensor<*xf32>
}

// -----

// Both branches stay where only the data decides. What both imply (n = m) holds everywhere.
// CHECK-LABEL: @promote_what_both_imply
// CHECK-SAME: tensor<?x4xf32, #onnx.dims<"m", "4">>, %{{.+}}: tensor<4x?xf32, #onnx.dims<"4", "m">>
// CHECK-NOT: program.guard
// CHECK: "If"{{.*}} -> tensor<?x?xf32, #onnx.dims<"m", "m">>
func.func @promote_what_both_imply(%x: tensor<?x4xf32, #onnx.dims<"m", "4">>, %y: tensor<4x?xf32, #onnx.dims<"4", "n">>,
                                   %z: tensor<?x?xf32, #onnx.dims<"n", "m">>, %c: tensor<i1>) -> tensor<*xf32> {
  %r = onnx.node "If" version 17 (%c) : (tensor<i1>) -> tensor<*xf32> "then_branch" {
    %p = onnx.node "MatMul" version 17 (%x, %y) : (tensor<?x4xf32, #onnx.dims<"m", "4">>, tensor<4x?xf32, #onnx.dims<"4", "n">>) -> tensor<*xf32>
    %q = onnx.node "MatMul" version 17 (%p, %p) : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
    onnx.yield %q : tensor<*xf32>
  } "else_branch" {
    %q = onnx.node "MatMul" version 17 (%z, %z) : (tensor<?x?xf32, #onnx.dims<"n", "m">>, tensor<?x?xf32, #onnx.dims<"n", "m">>) -> tensor<*xf32>
    onnx.yield %q : tensor<*xf32>
  }
  return %r : tensor<*xf32>
}

// -----

// What one branch implies is checked where that branch runs, and what it reads from outside has the shape it relies on.
// CHECK-LABEL: @guard_inside_the_branch
// CHECK-SAME: tensor<?x?xf32, #onnx.dims<"n", "m">>
// CHECK-NOT: program.guard
// CHECK: "If"{{.*}} -> tensor<?x?xf32, #onnx.dims<"n", "m">>
// CHECK-NEXT: program.guard "n" equals "m" message "If needs the sizes n and m to be equal"
// CHECK-NEXT: %[[X:.+]] = onnx.node "Identity"{{.*}} -> tensor<?x?xf32, #onnx.dims<"m", "m">>
// CHECK-NEXT: onnx.node "MatMul"{{.*}}(%[[X]], %[[X]])
// CHECK: "else_branch"
// CHECK-NOT: program.guard
func.func @guard_inside_the_branch(%x: tensor<?x?xf32, #onnx.dims<"n", "m">>, %c: tensor<i1>) -> tensor<?x?xf32, #onnx.dims<"n", "m">> {
  %r = onnx.node "If" version 17 (%c) : (tensor<i1>) -> tensor<?x?xf32, #onnx.dims<"n", "m">> "then_branch" {
    %q = onnx.node "MatMul" version 17 (%x, %x) : (tensor<?x?xf32, #onnx.dims<"n", "m">>, tensor<?x?xf32, #onnx.dims<"n", "m">>) -> tensor<*xf32>
    %s = onnx.node "Add" version 17 (%q, %x) : (tensor<*xf32>, tensor<?x?xf32, #onnx.dims<"n", "m">>) -> tensor<*xf32>
    onnx.yield %s : tensor<*xf32>
  } "else_branch" {
    onnx.yield %x : tensor<?x?xf32, #onnx.dims<"n", "m">>
  }
  return %r : tensor<?x?xf32, #onnx.dims<"n", "m">>
}

// -----

// A condition on sizes is an expression that is 0 or 1, and so the result's shape is one too.
// CHECK-LABEL: @shape_by_condition
// CHECK: onnx.node "Less"{{.*}} known [#onnx.values<"min(1, max(0, -n + 3))">]
// CHECK: "If"{{.*}} -> tensor<?xf32, #onnx.dims<"min(1, max(0, -n + 3))*n + n">>
func.func @shape_by_condition(%x: tensor<?xf32, #onnx.dims<"n">>) -> tensor<*xf32> {
  %s = onnx.node "Shape" version 17 (%x) : (tensor<?xf32, #onnx.dims<"n">>) -> tensor<1xi64>
  %three = onnx.constant dense<3> : tensor<1xi64> -> tensor<1xi64>
  %c = onnx.node "Less" version 17 (%s, %three) : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi1>
  %r = onnx.node "If" version 17 (%c) : (tensor<1xi1>) -> tensor<*xf32> "then_branch" {
    %q = onnx.node "Concat" version 17 (%x, %x) attributes {axis = 0 : i64} : (tensor<?xf32, #onnx.dims<"n">>, tensor<?xf32, #onnx.dims<"n">>) -> tensor<*xf32>
    onnx.yield %q : tensor<*xf32>
  } "else_branch" {
    onnx.yield %x : tensor<?xf32, #onnx.dims<"n">>
  }
  return %r : tensor<*xf32>
}

// -----

// Exporters remove a dimension that is 1 like this. Only one of the two ranks can be compiled.
// REMARK: remark: [Passed] TakeThenBranch {{.*}}the branches' results differ in rank, so that the first one is taken when compiling
// CHECK-LABEL: @take_then_branch
// CHECK: program.guard {{.*}} equals "1" message "for inputs of these sizes the model takes the else branch of If
// CHECK: program.guard "floordiv(n, 2)" equals "1" message "Squeeze needs the sizes
// CHECK-NOT: "If"
// CHECK: onnx.node "Squeeze"{{.*}} -> tensor<?xf32, #onnx.dims<"m">>
func.func @take_then_branch(%x: tensor<?x?xf32, #onnx.dims<"floordiv(n, 2)", "m">>) -> tensor<*xf32> {
  %s = onnx.node "Shape" version 17 (%x) : (tensor<?x?xf32, #onnx.dims<"floordiv(n, 2)", "m">>) -> tensor<2xi64>
  %zero = onnx.constant dense<0> : tensor<1xi64> -> tensor<1xi64>
  %n = onnx.node "Gather" version 17 (%s, %zero) : (tensor<2xi64>, tensor<1xi64>) -> tensor<1xi64>
  %one = onnx.constant dense<1> : tensor<1xi64> -> tensor<1xi64>
  %c = onnx.node "Equal" version 17 (%n, %one) : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi1>
  %r = onnx.node "If" version 17 (%c) : (tensor<1xi1>) -> tensor<*xf32> "then_branch" {
    %q = onnx.node "Squeeze" version 17 (%x, %zero) : (tensor<?x?xf32, #onnx.dims<"floordiv(n, 2)", "m">>, tensor<1xi64>) -> tensor<*xf32>
    onnx.yield %q : tensor<*xf32>
  } "else_branch" {
    onnx.yield %x : tensor<?x?xf32, #onnx.dims<"floordiv(n, 2)", "m">>
  }
  return %r : tensor<*xf32>
}

// -----

// A loop carries what it begins with, and stacks one part each time.
// CHECK-LABEL: @loop
// CHECK: "Loop"{{.*}} -> (tensor<?xf32, #onnx.dims<"n">>, tensor<?x?xf32, #onnx.dims<"m", "n">>)
// CHECK-NEXT: ^bb0(%{{.+}}: tensor<i64, #onnx.dims<>>, %{{.+}}: tensor<i1, #onnx.dims<>>, %{{.+}}: tensor<?xf32, #onnx.dims<"n">>):
// CHECK: onnx.node "Identity"{{.*}} known [#onnx.values<"1">]
func.func @loop(%x: tensor<?xf32, #onnx.dims<"n">>, %z: tensor<?xf32, #onnx.dims<"m">>) -> (tensor<*xf32>, tensor<*xf32>) {
  %s = onnx.node "Size" version 17 (%z) : (tensor<?xf32, #onnx.dims<"m">>) -> tensor<i64>
  %none = onnx.none
  %r:2 = onnx.node "Loop" version 17 (%s, %none, %x) : (tensor<i64>, !onnx.none, tensor<?xf32, #onnx.dims<"n">>) -> (tensor<*xf32>, tensor<*xf32>) "body" {
  ^bb0(%i: tensor<i64>, %go: tensor<i1>, %u: tensor<*xf32>):
    %again = onnx.node "Identity" version 17 (%go) : (tensor<i1>) -> tensor<i1>
    %v = onnx.node "Add" version 17 (%u, %x) : (tensor<*xf32>, tensor<?xf32, #onnx.dims<"n">>) -> tensor<*xf32>
    onnx.yield %again, %v, %v : tensor<i1>, tensor<*xf32>, tensor<*xf32>
  }
  return %r#0, %r#1 : tensor<*xf32>, tensor<*xf32>
}
