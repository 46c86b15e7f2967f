// The activation behind a convolution over a line is the convolution's, although a reshape is between them.
module @lines {
  func.func @main(%x: tensor<1x1x9x2xf32>) -> tensor<1x9x3xf32> {
    %x_fix = nn.fix %x {fix_point = 5} : tensor<1x1x9x2xf32> loc("x_fix")
    %weights = nn.constant dense<0.25> : tensor<3x1x1x2xf32> loc("weights")
    %weights_fix = nn.fix %weights {fix_point = 6} : tensor<3x1x1x2xf32> loc("weights_fix")
    %conv = nn.conv2d %x_fix, %weights_fix : (tensor<1x1x9x2xf32>, tensor<3x1x1x2xf32>) -> tensor<1x1x9x3xf32> loc("conv")
    %line = nn.reshape %conv : (tensor<1x1x9x3xf32>) -> tensor<1x9x3xf32> loc("conv")
    %leaky = nn.leaky_relu %line {alpha = 0.1015625} : tensor<1x9x3xf32> loc("leaky")
    %leaky_fix = nn.fix %leaky {fix_point = 4} : tensor<1x9x3xf32> loc("leaky_fix")
    func.return %leaky_fix : tensor<1x9x3xf32>
  }
}
