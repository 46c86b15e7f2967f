// Pooling and reductions.
module @pooling {
  func.func @main(%x: tensor<1x8x8x3xf32>) -> (tensor<1x5x5x3xf32>, tensor<1x3x3x3xf32>, tensor<1x1x1x3xf32>, tensor<1x1x8x3xf32>, tensor<1x3xf32>, tensor<1x1x1x3xf32>, tensor<1x8x8x1xf32>) {
    %x_fix = nn.fix %x {fix_point = 5} : tensor<1x8x8x3xf32>
    %m0 = nn.max_pool %x_fix {kernel = [3, 3], strides = [2, 2], pads = [1, 1, 2, 2]} : (tensor<1x8x8x3xf32>) -> tensor<1x5x5x3xf32>
    %m0_fix = nn.fix %m0 {fix_point = 5} : tensor<1x5x5x3xf32>
    %m1 = nn.max_pool %x_fix {kernel = [2, 2], strides = [2, 2]} : (tensor<1x8x8x3xf32>) -> tensor<1x4x4x3xf32>
    %m1_fix = nn.fix %m1 {fix_point = 3} : tensor<1x4x4x3xf32>
    %a0 = nn.avg_pool %m1_fix {kernel = [2, 2], pads = [0, 0, 0, 0]} : (tensor<1x4x4x3xf32>) -> tensor<1x3x3x3xf32>
    %a0_fix = nn.fix %a0 {fix_point = 4} : tensor<1x3x3x3xf32>
    %a1 = nn.avg_pool %x_fix {kernel = [8, 8]} : (tensor<1x8x8x3xf32>) -> tensor<1x1x1x3xf32>
    %one = nn.constant dense<1.0> : tensor<1xf32>
    %a1c = nn.mul %a1, %one : (tensor<1x1x1x3xf32>, tensor<1xf32>) -> tensor<1x1x1x3xf32>
    %a1c_fix = nn.fix %a1c {fix_point = 6} : tensor<1x1x1x3xf32>
    %r0 = nn.reduce_max %x_fix {axes = [1]} : (tensor<1x8x8x3xf32>) -> tensor<1x1x8x3xf32>
    %r0_fix = nn.fix %r0 {fix_point = 5} : tensor<1x1x8x3xf32>
    %r1 = nn.reduce_mean %x_fix {axes = [2, 1], keep_dims = false} : (tensor<1x8x8x3xf32>) -> tensor<1x3xf32>
    %r1_fix = nn.fix %r1 {fix_point = 6} : tensor<1x3xf32>
    %r2 = nn.reduce_sum %x_fix {axes = [1, 2]} : (tensor<1x8x8x3xf32>) -> tensor<1x1x1x3xf32>
    %r2_fix = nn.fix %r2 {fix_point = 0} : tensor<1x1x1x3xf32>
    %r3 = nn.reduce_max %x_fix {axes = [3]} : (tensor<1x8x8x3xf32>) -> tensor<1x8x8x1xf32>
    %r3_fix = nn.fix %r3 {fix_point = 5} : tensor<1x8x8x1xf32>
    func.return %m0_fix, %a0_fix, %a1c_fix, %r0_fix, %r1_fix, %r2_fix, %r3_fix : tensor<1x5x5x3xf32>, tensor<1x3x3x3xf32>, tensor<1x1x1x3xf32>, tensor<1x1x8x3xf32>, tensor<1x3xf32>, tensor<1x1x1x3xf32>, tensor<1x8x8x1xf32>
  }
}
