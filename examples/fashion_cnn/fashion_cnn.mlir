module @fashion_cnn attributes {dpuc.weights = "fashion_cnn.safetensors"} {
  func.func @main(%image: tensor<1x28x28x1xf32>) -> (tensor<1x10xf32>, tensor<1x10xf32>) {
    %image_fix = nn.fix %image {fix_point = 6} : tensor<1x28x28x1xf32>
    %conv1.weight = nn.constant @conv1.weight : tensor<32x3x3x1xf32>
    %conv1.weight_fix = nn.fix %conv1.weight {fix_point = 6} : tensor<32x3x3x1xf32>
    %conv1.bias = nn.constant @conv1.bias : tensor<32xf32>
    %conv1.bias_fix = nn.fix %conv1.bias {fix_point = 7} : tensor<32xf32>
    %conv1 = nn.conv2d %image_fix, %conv1.weight_fix, %conv1.bias_fix {strides = [1, 1], pads = [1, 1, 1, 1]} : (tensor<1x28x28x1xf32>, tensor<32x3x3x1xf32>, tensor<32xf32>) -> tensor<1x28x28x32xf32>
    %relu1 = nn.relu %conv1 : tensor<1x28x28x32xf32>
    %relu1_fix = nn.fix %relu1 {fix_point = 6} : tensor<1x28x28x32xf32>
    %pool1 = nn.max_pool %relu1_fix {kernel = [2, 2], strides = [2, 2], pads = [0, 0, 0, 0]} : (tensor<1x28x28x32xf32>) -> tensor<1x14x14x32xf32>
    %pool1_fix = nn.fix %pool1 {fix_point = 6} : tensor<1x14x14x32xf32>
    %conv2.weight = nn.constant @conv2.weight : tensor<48x3x3x32xf32>
    %conv2.weight_fix = nn.fix %conv2.weight {fix_point = 8} : tensor<48x3x3x32xf32>
    %conv2.bias = nn.constant @conv2.bias : tensor<48xf32>
    %conv2.bias_fix = nn.fix %conv2.bias {fix_point = 7} : tensor<48xf32>
    %conv2 = nn.conv2d %pool1_fix, %conv2.weight_fix, %conv2.bias_fix {strides = [1, 1], pads = [1, 1, 1, 1]} : (tensor<1x14x14x32xf32>, tensor<48x3x3x32xf32>, tensor<48xf32>) -> tensor<1x14x14x48xf32>
    %relu2 = nn.relu %conv2 : tensor<1x14x14x48xf32>
    %relu2_fix = nn.fix %relu2 {fix_point = 6} : tensor<1x14x14x48xf32>
    %res_conv1.weight = nn.constant @res_conv1.weight : tensor<48x3x3x48xf32>
    %res_conv1.weight_fix = nn.fix %res_conv1.weight {fix_point = 8} : tensor<48x3x3x48xf32>
    %res_conv1.bias = nn.constant @res_conv1.bias : tensor<48xf32>
    %res_conv1.bias_fix = nn.fix %res_conv1.bias {fix_point = 7} : tensor<48xf32>
    %res_conv1 = nn.conv2d %relu2_fix, %res_conv1.weight_fix, %res_conv1.bias_fix {strides = [1, 1], pads = [1, 1, 1, 1]} : (tensor<1x14x14x48xf32>, tensor<48x3x3x48xf32>, tensor<48xf32>) -> tensor<1x14x14x48xf32>
    %res_relu1 = nn.relu %res_conv1 : tensor<1x14x14x48xf32>
    %res_relu1_fix = nn.fix %res_relu1 {fix_point = 6} : tensor<1x14x14x48xf32>
    %res_conv2.weight = nn.constant @res_conv2.weight : tensor<48x3x3x48xf32>
    %res_conv2.weight_fix = nn.fix %res_conv2.weight {fix_point = 8} : tensor<48x3x3x48xf32>
    %res_conv2.bias = nn.constant @res_conv2.bias : tensor<48xf32>
    %res_conv2.bias_fix = nn.fix %res_conv2.bias {fix_point = 8} : tensor<48xf32>
    %res_conv2 = nn.conv2d %res_relu1_fix, %res_conv2.weight_fix, %res_conv2.bias_fix {strides = [1, 1], pads = [1, 1, 1, 1]} : (tensor<1x14x14x48xf32>, tensor<48x3x3x48xf32>, tensor<48xf32>) -> tensor<1x14x14x48xf32>
    %res_conv2_fix = nn.fix %res_conv2 {fix_point = 6} : tensor<1x14x14x48xf32>
    %res_add = nn.add %res_conv2_fix, %relu2_fix : tensor<1x14x14x48xf32>
    %res_relu2 = nn.relu %res_add : tensor<1x14x14x48xf32>
    %res_relu2_fix = nn.fix %res_relu2 {fix_point = 6} : tensor<1x14x14x48xf32>
    %dw_conv.weight = nn.constant @dw_conv.weight : tensor<1x3x3x48xf32>
    %dw_conv.weight_fix = nn.fix %dw_conv.weight {fix_point = 6} : tensor<1x3x3x48xf32>
    %dw_conv.bias = nn.constant @dw_conv.bias : tensor<48xf32>
    %dw_conv.bias_fix = nn.fix %dw_conv.bias {fix_point = 7} : tensor<48xf32>
    %dw_conv = nn.depthwise_conv2d %res_relu2_fix, %dw_conv.weight_fix, %dw_conv.bias_fix {strides = [2, 2], pads = [1, 1, 1, 1]} : (tensor<1x14x14x48xf32>, tensor<1x3x3x48xf32>, tensor<48xf32>) -> tensor<1x7x7x48xf32>
    %dw_relu = nn.relu %dw_conv : tensor<1x7x7x48xf32>
    %dw_relu_fix = nn.fix %dw_relu {fix_point = 5} : tensor<1x7x7x48xf32>
    %pw_conv.weight = nn.constant @pw_conv.weight : tensor<96x1x1x48xf32>
    %pw_conv.weight_fix = nn.fix %pw_conv.weight {fix_point = 5} : tensor<96x1x1x48xf32>
    %pw_conv.bias = nn.constant @pw_conv.bias : tensor<96xf32>
    %pw_conv.bias_fix = nn.fix %pw_conv.bias {fix_point = 6} : tensor<96xf32>
    %pw_conv = nn.conv2d %dw_relu_fix, %pw_conv.weight_fix, %pw_conv.bias_fix {strides = [1, 1], pads = [0, 0, 0, 0]} : (tensor<1x7x7x48xf32>, tensor<96x1x1x48xf32>, tensor<96xf32>) -> tensor<1x7x7x96xf32>
    %pw_relu = nn.relu %pw_conv : tensor<1x7x7x96xf32>
    %pw_relu_fix = nn.fix %pw_relu {fix_point = 4} : tensor<1x7x7x96xf32>
    %gap = nn.avg_pool %pw_relu_fix {kernel = [7, 7], strides = [1, 1], pads = [0, 0, 0, 0]} : (tensor<1x7x7x96xf32>) -> tensor<1x1x1x96xf32>
    %gap_fix = nn.fix %gap {fix_point = 4} : tensor<1x1x1x96xf32>
    %flatten = nn.reshape %gap_fix : (tensor<1x1x1x96xf32>) -> tensor<1x96xf32>
    %fc.weight = nn.constant @fc.weight : tensor<10x96xf32>
    %fc.weight_fix = nn.fix %fc.weight {fix_point = 7} : tensor<10x96xf32>
    %fc.bias = nn.constant @fc.bias : tensor<10xf32>
    %fc.bias_fix = nn.fix %fc.bias {fix_point = 8} : tensor<10xf32>
    %logits = nn.matmul %flatten, %fc.weight_fix, %fc.bias_fix {transpose_b = true} : (tensor<1x96xf32>, tensor<10x96xf32>, tensor<10xf32>) -> tensor<1x10xf32>
    %logits_fix = nn.fix %logits {fix_point = 4} : tensor<1x10xf32>
    %prob = nn.softmax %logits_fix {axis = 1} : tensor<1x10xf32>
    func.return %logits_fix, %prob : tensor<1x10xf32>, tensor<1x10xf32>
  }
}
