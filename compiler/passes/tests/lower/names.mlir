// Names of operators, tensors and values after fusion, insertion and splitting.
module @names {
  func.func @main(%image: tensor<1x2x2x2xf32>) -> (tensor<1x3xf32>, tensor<1x16xf32>) {
    %image_fix = nn.fix %image {fix_point = 5} : tensor<1x2x2x2xf32> loc("image_fix")
    %w = nn.constant dense<[[[[0.5, 0.25]]], [[[-0.5, 0.75]]]]> : tensor<2x1x1x2xf32> loc("conv.weight")
    %w_fix = nn.fix %w {fix_point = 6} : tensor<2x1x1x2xf32> loc("conv.weight_fix")
    %b = nn.constant dense<[0.125, 1.0]> : tensor<2xf32> loc("conv.bias")
    %b_fix = nn.fix %b {fix_point = 5} : tensor<2xf32> loc("conv.bias_fix")
    %conv = nn.conv2d %image_fix, %w_fix, %b_fix : (tensor<1x2x2x2xf32>, tensor<2x1x1x2xf32>, tensor<2xf32>) -> tensor<1x2x2x2xf32> loc("conv")
    %relu = nn.relu %conv : tensor<1x2x2x2xf32> loc("relu")
    %relu_fix = nn.fix %relu {fix_point = 4} : tensor<1x2x2x2xf32> loc("relu_fix")
    %open = nn.conv2d %relu_fix, %w_fix : (tensor<1x2x2x2xf32>, tensor<2x1x1x2xf32>) -> tensor<1x2x2x2xf32> loc("open")
    %cat = nn.concat %open, %relu_fix {axis = 3} : (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) -> tensor<1x2x2x4xf32> loc("cat")
    %cat_fix = nn.fix %cat {fix_point = 3} : tensor<1x2x2x4xf32> loc("cat_fix")
    %flat = nn.reshape %cat_fix : (tensor<1x2x2x4xf32>) -> tensor<1x16xf32> loc("flat")
    %fw = nn.constant dense<0.25> : tensor<3x16xf32> loc("fc.weight")
    %fw_fix = nn.fix %fw {fix_point = 7} : tensor<3x16xf32> loc("fc.weight_fix")
    %fc = nn.matmul %flat, %fw_fix : (tensor<1x16xf32>, tensor<3x16xf32>) -> tensor<1x3xf32> loc("fc")
    %fc_fix = nn.fix %fc {fix_point = 2} : tensor<1x3xf32> loc("fc_fix")
    func.return %fc_fix, %flat : tensor<1x3xf32>, tensor<1x16xf32>
  }
}
