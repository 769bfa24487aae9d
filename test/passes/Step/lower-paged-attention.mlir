// One region writes the new keys and values into the cache in place, one attends. Positions outside of the template aren't read.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s --mxn-lower-paged-attention | FileCheck %s
// RUN: sed 's/{layer = 1/{window = 9 : i64, sink = 4 : i64, layer = 1/' %s | mxn-opt --mxn-lower-paged-attention | FileCheck %s --check-prefix=WINDOW
// RUN: sed 's/f32/f16/g; s/0.5 : f16/0.5 : f32/' %s | mxn-opt --mxn-lower-paged-attention | FileCheck %s --check-prefix=HALF
// RUN: mxn-opt %s --mxn-lower-paged-attention=parallel | FileCheck %s --check-prefix=PARALLEL

// CHECK-LABEL: @step
// CHECK-SAME: %{{.*}}: tensor<1x?x8xf32>, %[[K:.*]]: tensor<1x?x4xf32>, %[[V:.*]]: tensor<1x?x4xf32>, %[[CACHE:.*]]: tensor<?x2x2x1x16x4xf32>, %[[TABLE:.*]]: tensor<?x?xi32>, %[[STARTS:.*]]: tensor<?xi32>, %[[CONTEXT:.*]]: tensor<?xi32>
// WINDOW-LABEL: @step
// HALF-LABEL: @step
func.func @step(%x: tensor<1x?x8xf32>, %k: tensor<1x?x4xf32>, %v: tensor<1x?x4xf32>, %cache: tensor<?x2x2x1x16x4xf32>,
                %table: tensor<?x?xi32>, %starts: tensor<?xi32>, %context: tensor<?xi32>)
    -> (tensor<1x?x8xf32>, tensor<?x2x2x1x16x4xf32>) {
  %one = arith.constant 1 : index
  %tokens = tensor.dim %x, %one : tensor<1x?x8xf32>
  %empty = tensor.empty(%tokens) : tensor<1x?x8xf32>
  %q = linalg.copy ins(%x : tensor<1x?x8xf32>) outs(%empty : tensor<1x?x8xf32>) -> tensor<1x?x8xf32>
  // The cache: a region that updates it, and writes at (block, layer, keys or values, head, slot, column).
  // CHECK: %[[UPDATED:.*]] = program.region updates(%[[CACHE]] : tensor<?x2x2x1x16x4xf32>) -> tensor<?x2x2x1x16x4xf32>
  // CHECK: %[[LAYER:.*]] = arith.constant 1 : index
  // CHECK: scf.for {{.*}} iter_args(%{{.*}} = %[[CACHE]])
  // Numbers of the data are checked before they are indices.
  // CHECK: tensor.extract %[[STARTS]]
  // CHECK: kernel.check
  // CHECK: tensor.extract %[[CONTEXT]]
  // CHECK: kernel.check
  // CHECK: tensor.extract %[[TABLE]]
  // CHECK: kernel.check
  // CHECK: tensor.extract %[[K]]
  // CHECK: tensor.insert {{.*}}, %[[LAYER]],
  // CHECK: tensor.extract %[[V]]
  // CHECK: tensor.insert {{.*}}, %[[LAYER]],
  // CHECK: program.yield %{{.*}} : tensor<?x2x2x1x16x4xf32>
  // Attention reads the updated cache and writes nothing but its result.
  // CHECK: %[[Y:.*]] = program.region -> tensor<1x?x8xf32>
  // CHECK-NOT: tensor.extract %[[CACHE]]
  // CHECK: tensor.extract %[[UPDATED]]
  // CHECK: arith.maximumf
  // CHECK-NOT: tensor.extract %[[CACHE]]
  // CHECK: math.exp
  // CHECK: arith.divf
  // CHECK: program.yield %{{.*}} : tensor<1x?x8xf32>
  // CHECK-NOT: program.region
  // CHECK: return %[[Y]], %[[UPDATED]]

  // Without a template no position is left out; with one, both walks test it before they look into the table.
  // WINDOW: program.region ->
  // WINDOW: %[[NINE:.*]] = arith.constant 9 : index
  // WINDOW: %[[NEAR:.*]] = arith.cmpi slt
  // WINDOW: %[[FOUR:.*]] = arith.constant 4 : index
  // WINDOW: %[[SUNK:.*]] = arith.cmpi slt, %{{.*}}, %[[FOUR]]
  // WINDOW: %[[KEPT:.*]] = arith.ori %[[NEAR]], %[[SUNK]]
  // WINDOW-NEXT: scf.if %[[KEPT]]
  // WINDOW: tensor.extract %arg4
  // WINDOW: arith.ori
  // WINDOW: scf.if

  // Narrow types are added up in float32, and made narrow again at the end.
  // HALF: %[[WIDE:.*]] = program.region -> tensor<1x?x8xf32>
  // HALF: arith.extf {{.*}} : f16 to f32
  // HALF-NOT: arith.truncf
  // HALF: program.yield
  // HALF: program.region -> tensor<1x?x8xf16>
  // HALF: tensor.extract %[[WIDE]]
  // HALF: arith.truncf {{.*}} : f32 to f16
  // Rows and heads at once, as many rows as there are tokens; the columns of a head are one vector.
  // PARALLEL: program.region updates
  // PARALLEL: program.region -> tensor<1x?x8xf32>
  // PARALLEL: scf.forall (%[[ROW:.*]], %[[HEAD:.*]]) in (%{{.*}}, 2) shared_outs
  // PARALLEL: arith.cmpi sle, %{{.*}}, %[[ROW]]
  // PARALLEL: vector.transfer_read %{{.*}} : tensor<1x?x8xf32>, vector<4xf32>
  // PARALLEL: vector.reduction <add>
  // PARALLEL: arith.maximumf
  // PARALLEL: math.exp
  // PARALLEL: math.fma
  // PARALLEL: vector.transfer_write
  // PARALLEL: tensor.parallel_insert_slice
  %y, %c = llm.paged_attention %q, %k, %v cache %cache table %table starts %starts context %context {layer = 1 : i64, q_heads = 2 : i64, kv_heads = 1 : i64, scale = 0.5 : f32} : tensor<1x?x8xf32>, tensor<1x?x4xf32>, tensor<1x?x4xf32>, tensor<?x2x2x1x16x4xf32>, tensor<?x?xi32>, tensor<?xi32>, tensor<?xi32> -> tensor<1x?x8xf32>, tensor<?x2x2x1x16x4xf32>
  return %y, %c : tensor<1x?x8xf32>, tensor<?x2x2x1x16x4xf32>
}
