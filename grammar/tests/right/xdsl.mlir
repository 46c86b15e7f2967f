"builtin.module"() ({
  "func.func"() <{sym_name = "ext", function_type = (i32, tensor<4x?xf32>) -> (i32, f32), sym_visibility = "private"}> ({
  }) : () -> () loc(unknown)
  "func.func"() <{sym_name = "main", function_type = (tensor<1x4xf32>, i1) -> tensor<1x4xf32>, arg_attrs = [{llvm.noalias}, {}], res_attrs = [{a.b = 1 : i32}]}> ({
  ^bb0(%arg0: tensor<1x4xf32> loc(unknown), %c: i1 loc(unknown)):
    %0 = "arith.constant"() <{value = dense<[[1.000000e+00, 2.000000e+00, 3.500000e-05, -1.000000e+10]]> : tensor<1x4xf32>}> : () -> tensor<1x4xf32> loc(unknown)
    %n = "arith.constant"() <{value = 0x7fc00000 : f32}> : () -> f32 loc(unknown)
    %i = "arith.constant"() <{value = -3 : i64}> : () -> i64 loc(unknown)
    %t = "arith.constant"() <{value = true}> : () -> i1 loc(unknown)
    %1 = "arith.addf"(%arg0, %0) <{fastmath = #arith.fastmath<none>}> : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32> loc(unknown)
    "cf.cond_br"(%c, %1) [^bb1, ^bb2] <{operandSegmentSizes = array<i32: 1, 1, 0>}> : (i1, tensor<1x4xf32>) -> () loc(unknown)
  ^bb1(%x: tensor<1x4xf32> loc(unknown)):
    "func.return"(%x) : (tensor<1x4xf32>) -> () loc(unknown)
  ^bb2:
    %r, %r_1 = "scf.if"(%c) ({
      "scf.yield"(%i, %i) : (i64, i64) -> () loc(unknown)
    }, {
      "scf.yield"(%i, %i) : (i64, i64) -> () loc(unknown)
    }) : (i1) -> (i64, i64) loc(unknown)
    %z = "func.call"(%1, %c) <{callee = @main}> : (tensor<1x4xf32>, i1) -> tensor<1x4xf32> loc(unknown)
    "func.return"(%z) : (tensor<1x4xf32>) -> () loc(unknown)
  }) : () -> () loc(unknown)
  "func.func"() <{sym_name = "lin", function_type = (memref<4x?xf32, strided<[?, 1], offset: ?>>, memref<4x4xf32, affine_map<(d0, d1) -> (d1, d0)>>) -> ()}> ({
  ^bb0(%A: memref<4x?xf32, strided<[?, 1], offset: ?>> loc(unknown), %B: memref<4x4xf32, affine_map<(d0, d1) -> (d1, d0)>> loc(unknown)):
    "linalg.generic"(%A, %B) <{indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%a: f32 loc(unknown), %b: f32 loc(unknown)):
      "linalg.yield"(%a) : (f32) -> () loc(unknown)
    }) : (memref<4x?xf32, strided<[?, 1], offset: ?>>, memref<4x4xf32, affine_map<(d0, d1) -> (d1, d0)>>) -> () loc(unknown)
    "func.return"() : () -> () loc(unknown)
  }) : () -> () loc(unknown)
  "test.op"() {a = array<i64: 1, 2>, b = array<i32>, s = @a::@b, "q k", d = {x = 1 : i8, y = [1 : i32, "two", @three]}, f = () -> (), g = (i32) -> i32, c = dense<> : tensor<0xi8>, r = dense_resource<blob1> : tensor<3xi64>, v = vector<4xf32>, o = complex<f32>, u = ui8, str = "a\22b\\c\0A"} : () -> () loc(unknown)
}) {llvm.target = "x"} : () -> () loc(unknown)

