// Averages with the hardware's factor, without one, and with another one; hard sigmoids likewise.
module @averages {
  func.func @main(%x: tensor<1x7x7x2xf32>, %neg: tensor<1x2xf32>) -> (tensor<1x5x5x2xf32>, tensor<1x5x5x2xf32>, tensor<1x5x5x2xf32>, tensor<1x2xf32>, tensor<1x7x7x2xf32>, tensor<1x7x7x2xf32>, tensor<1x7x7x2xf32>, tensor<1x2xf32>) {
    %x_fix = nn.fix %x {fix_point = 5} : tensor<1x7x7x2xf32>
    %mean = nn.avg_pool %x_fix {kernel = [3, 3]} : (tensor<1x7x7x2xf32>) -> tensor<1x5x5x2xf32>
    // 9 * 7 / 2^6
    %factor = nn.constant dense<0.984375> : tensor<1xf32>
    %corrected = nn.mul %mean, %factor : (tensor<1x5x5x2xf32>, tensor<1xf32>) -> tensor<1x5x5x2xf32>
    %corrected_fix = nn.fix %corrected {fix_point = 5} : tensor<1x5x5x2xf32>
    %mean_fix = nn.fix %mean {fix_point = 5} : tensor<1x5x5x2xf32>
    %half = nn.constant dense<0.5> : tensor<1xf32>
    %other = nn.mul %mean, %half : (tensor<1x5x5x2xf32>, tensor<1xf32>) -> tensor<1x5x5x2xf32>
    %other_fix = nn.fix %other {fix_point = 5} : tensor<1x5x5x2xf32>
    %global = nn.reduce_mean %x_fix {axes = [1, 2], keep_dims = false} : (tensor<1x7x7x2xf32>) -> tensor<1x2xf32>
    %global_fix = nn.fix %global {fix_point = 5} : tensor<1x2xf32>
    %gate = nn.hard_sigmoid %x_fix : tensor<1x7x7x2xf32>
    // 6 * 2731 / 2^14
    %sixth = nn.constant dense<1.0001220703125> : tensor<1xf32>
    %scaled = nn.mul %sixth, %gate : (tensor<1xf32>, tensor<1x7x7x2xf32>) -> tensor<1x7x7x2xf32>
    %scaled_fix = nn.fix %scaled {fix_point = 8} : tensor<1x7x7x2xf32>
    %gate_fix = nn.fix %gate {fix_point = 7} : tensor<1x7x7x2xf32>
    %coarse_fix = nn.fix %gate {fix_point = 6} : tensor<1x7x7x2xf32>
    %neg_fix = nn.fix %neg {fix_point = -1} : tensor<1x2xf32>
    %negative = nn.hard_sigmoid %neg_fix : tensor<1x2xf32>
    %negative_fix = nn.fix %negative {fix_point = 7} : tensor<1x2xf32>
    func.return %corrected_fix, %mean_fix, %other_fix, %global_fix, %scaled_fix, %gate_fix, %coarse_fix, %negative_fix : tensor<1x5x5x2xf32>, tensor<1x5x5x2xf32>, tensor<1x5x5x2xf32>, tensor<1x2xf32>, tensor<1x7x7x2xf32>, tensor<1x7x7x2xf32>, tensor<1x7x7x2xf32>, tensor<1x2xf32>
  }
}
