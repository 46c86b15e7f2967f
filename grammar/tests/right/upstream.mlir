// As upstream's mlir-opt prints it with debug information.
#loc = loc("a.mlir":1:1)
#loc2 = loc("a.mlir":2:21)
module {
  func.func @f(%arg0: i32 loc("a.mlir":2:21)) -> i32 {
    %0 = arith.addi %arg0, %arg0 : i32 loc(#loc3)
    %1 = func.call @f(%0) : (i32) -> i32 loc(#loc4)
    func.call @g() : () -> () loc(#loc4)
    return %1 : i32 loc(#loc5)
  } loc(#loc1)
  func.func private @g() attributes {llvm.emit_c_interface} loc(#loc6)
} loc(#loc)
#loc1 = loc("a.mlir":2:3)
#loc3 = loc(callsite("inner"("b.mlir":1:2) at fused["x", #loc2]))
#loc4 = loc("a.mlir":4:10 to :20)
#loc5 = loc("a.mlir":5:5 to 6:7)
#loc6 = loc(unknown)
