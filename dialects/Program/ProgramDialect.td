//===- ProgramDialect.td - The host schedule ------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_PROGRAM_DIALECT_TD
#define MXN_PROGRAM_DIALECT_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"

def Program_Dialect : Dialect {
  let name = "program";
  let cppNamespace = "::mxn::program";
  let summary = "What the host does: sizes, buffers, dispatches, copies, branches, loops";
  let description = [{
    The dialect has two levels.

    On *tensors*: a `func.func` whose arguments and results carry `#program.tensor`, `program.symbol` for the model's
    symbolic sizes, and `program.region` around each piece of work that becomes one dispatch.

    On *buffers*: a `program.function`, which serialises one to one into a bundle. Values of type `index` are the
    bundle's registers; the only arithmetic on them is the part of `arith` that the bundle knows.
  }];
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
  let hasOperationAttrVerify = 1;
  let hasRegionArgAttrVerify = 1;
  let hasRegionResultAttrVerify = 1;
}

#endif
