module {
  func.func @main(%x: tensor<2x3x4xf32>, %m: tensor<1x4x4x2xf32>, %v: tensor<4xf32>, %i: tensor<5x2xf32>) -> tensor<2x3x4xf32> {
    %a = nn.exp %x : (tensor<2x3x4xf32>) -> tensor<2x3x1xf32>
    %b = nn.gelu %x {approximate = "fast"} : tensor<2x3x4xf32>
    %c = nn.elu %x : tensor<2x3x4xf32>
    %d = nn.compare %x, %x {predicate = "above"} : tensor<2x3x4xf32>
    %e = nn.select %x, %i, %x : (tensor<2x3x4xf32>, tensor<5x2xf32>, tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
    %f = nn.broadcast %v : (tensor<4xf32>) -> tensor<4x3xf32>
    %g = nn.layer_norm %x, %i {axis = 2, epsilon = 1.0e-05} : (tensor<2x3x4xf32>, tensor<5x2xf32>) -> tensor<2x3x4xf32>
    %h = nn.layer_norm %x {axis = 3, epsilon = 1.0e-05} : tensor<2x3x4xf32>
    %j = nn.gather %x, %i {axis = 1} : (tensor<2x3x4xf32>, tensor<5x2xf32>) -> tensor<2x5x4xf32>
    %k = nn.gather %x, %i {axis = 3} : (tensor<2x3x4xf32>, tensor<5x2xf32>) -> tensor<2x3x5x2xf32>
    %l = nn.batch_matmul %x, %v : (tensor<2x3x4xf32>, tensor<4xf32>) -> tensor<2x3xf32>
    %n = nn.batch_matmul %x, %i : (tensor<2x3x4xf32>, tensor<5x2xf32>) -> tensor<2x3x2xf32>
    %o = nn.batch_matmul %x, %x {transpose_b = true} : (tensor<2x3x4xf32>, tensor<2x3x4xf32>) -> tensor<2x3x3xf32>
    %p = nn.reduce_min %x {axes = [3]} : (tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
    %q = nn.avg_pool %m {kernel = [2, 2], pads = [0, 0, 2, 0], exclude_padding = true} : (tensor<1x4x4x2xf32>) -> tensor<1x5x3x2xf32>
    %r = nn.resize %m {mode = "cubic", coordinates = "tf_crop_and_resize", cubic_a = 1} : (tensor<1x4x4x2xf32>) -> tensor<1x8x8x2xf32>
    %s = nn.resize %m {mode = "nearest", rounding = "nearest", scales = [2.0]} : (tensor<1x4x4x2xf32>) -> tensor<1x8x8x2xf32>
    %t = nn.resize %m {mode = "nearest", scales = [-2.0, 1.0]} : (tensor<1x4x4x2xf32>) -> tensor<1x8x4x3xf32>
    %u = nn.clip %x {min = 0} : tensor<2x3x4xf32>
    func.return %x : tensor<2x3x4xf32>
  }
}
