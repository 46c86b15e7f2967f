// Sums and maxima along axes; means of sizes that are powers of two.
module @reductions {
  func.func @main(%x: tensor<1x4x8x16xf32>) -> (tensor<1x4x8xf32>, tensor<1x1x1x16xf32>, tensor<1x4x1x16xf32>, tensor<1x4x8x1xf32>, tensor<1x8xf32>) {
    %x_fix = nn.fix %x {fix_point = 5} : tensor<1x4x8x16xf32>
    %a = nn.reduce_sum %x_fix {axes = [3], keep_dims = false} : (tensor<1x4x8x16xf32>) -> tensor<1x4x8xf32>
    %a_fix = nn.fix %a {fix_point = 2} : tensor<1x4x8xf32>
    %b = nn.reduce_sum %x_fix {axes = [1, 2]} : (tensor<1x4x8x16xf32>) -> tensor<1x1x1x16xf32>
    %b_fix = nn.fix %b {fix_point = 2} : tensor<1x1x1x16xf32>
    %c = nn.reduce_sum %x_fix {axes = [2]} : (tensor<1x4x8x16xf32>) -> tensor<1x4x1x16xf32>
    %c_fix = nn.fix %c {fix_point = 6} : tensor<1x4x1x16xf32>
    %d = nn.reduce_max %x_fix {axes = [3]} : (tensor<1x4x8x16xf32>) -> tensor<1x4x8x1xf32>
    %d_fix = nn.fix %d {fix_point = 5} : tensor<1x4x8x1xf32>
    %e = nn.reduce_max %x_fix {axes = [1, 3], keep_dims = false} : (tensor<1x4x8x16xf32>) -> tensor<1x8xf32>
    %e_fix = nn.fix %e {fix_point = 4} : tensor<1x8xf32>
    func.return %a_fix, %b_fix, %c_fix, %d_fix, %e_fix : tensor<1x4x8xf32>, tensor<1x1x1x16xf32>, tensor<1x4x1x16xf32>, tensor<1x4x8x1xf32>, tensor<1x8xf32>
  }
}
