#map = affine_map<(d0, d1) -> (d0 + d1, -d1)>
#set = affine_set<(d0) : (d0 - 1 >= 0, d0 <= 4)>
"builtin.module"() <{sym_name="m"}> ({
  "func.func"() <{function_type = (tensor<4xf32>, i32) -> (tensor<4xf32>), sym_name = "f", sym_visibility = "private"}> ({
  ^bb0(%arg0: tensor<4xf32> loc("a.py":1:2), %arg1: i32):
    %0:2 = "d.op"(%arg0, %arg1) {a = array<i64: 1, -2>, b = array<i32>, c = dense<> : tensor<0xf32>, d = dense_resource<blob> : tensor<4xf32>, e = @s::@t::@"u v", f = () -> (), g = 0x7FC00000 : f32, h = -1.0e+5 : f64, i, "j k" = {}, l = #d.attr<"a>b", (i32) -> i64>, m = !d.type<[1, 2]>, n = loc(unknown), o = tuple<i32, tensor<*xf32>>, p = vector<[4]xi8>, q = memref<4x?xf32, strided<[1, ?], offset: ?>>, r = [], s = sparse<[[0]], [1]> : tensor<1xi8>} : (tensor<4xf32>, i32) -> (tensor<4xf32>, !d.t<(i32) -> i64>)
    "cf.br"(%0#0)[^bb1, ^bb2] <{operandSegmentSizes = array<i32: 1, 0>}> : (tensor<4xf32>) -> ()
  ^bb1:  // pred: ^bb0
    "d.regions"() ({
    }, {
    ^inner:
      "d.end"() : () -> ()
    }) {x} : () -> () loc(callsite("a" at "b":1:2))
    "d.nothing"() ({}, {}) : () -> ()
  ^bb2:
    "func.return"(%0#0) : (tensor<4xf32>) -> () loc("name"("f":1:2))
  }) : () -> ()
}) : () -> ()
