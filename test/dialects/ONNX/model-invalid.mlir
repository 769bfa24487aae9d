// The rules of #onnx.model.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: mxn-opt %s -verify-diagnostics -split-input-file

// expected-error @+1 {{R1: the version of the operator set "ai.onnx" must be a positive i64}}
module attributes {onnx.model = #onnx.model<ir_version = 8, producer = "", producer_version = "", domain = "", model_version = 0, graph = "g", opsets = {ai.onnx = 0 : i64}, metadata = {}>} {}

// -----

// expected-error @+1 {{R1: the version of the operator set "ai.onnx" must be a positive i64}}
module attributes {onnx.model = #onnx.model<ir_version = 8, producer = "", producer_version = "", domain = "", model_version = 0, graph = "g", opsets = {ai.onnx = 3 : i32}, metadata = {}>} {}

// -----

// expected-error @+1 {{R2: the metadata "license" must be a string}}
module attributes {onnx.model = #onnx.model<ir_version = 8, producer = "", producer_version = "", domain = "", model_version = 0, graph = "g", opsets = {ai.onnx = 17 : i64}, metadata = {license}>} {}

// -----

// expected-error @+1 {{'onnx.model' must be an #onnx.model on a module}}
module attributes {onnx.model = "g"} {}

// -----

// expected-error @+1 {{the onnx dialect has no attribute "onnx.other"}}
module attributes {onnx.other} {}
