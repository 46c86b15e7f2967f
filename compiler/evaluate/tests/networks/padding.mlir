// Zero padding becomes part of the operator behind it, rounded again or not; mirrored padding is one of codes.
module @padding {
  func.func @main(%x: tensor<1x4x4x2xf32>) -> tensor<1x4x2x2xf32> {
    %x_fix = nn.fix %x {fix_point = 5} : tensor<1x4x4x2xf32>
    %p0 = nn.pad %x_fix {paddings = [0, 0, 1, 1, 2, 1, 0, 0]} : (tensor<1x4x4x2xf32>) -> tensor<1x6x7x2xf32>
    %w0 = nn.constant dense<[[[[0.7540, 0.9011], [0.0379, 0.3916], [0.8044, -0.6833]], [[0.2187, -0.8734], [0.9427, 0.7753], [0.3798, 0.5583]], [[0.2383, -0.7826], [0.0360, 0.8619], [-0.3041, -0.7086]]], [[[0.8399, 0.9161], [-0.9458, 0.0954], [-0.6411, -0.4186]], [[-0.4609, 0.8946], [0.7294, -0.6898], [0.1924, -0.9366]], [[0.5454, -0.2365], [0.3310, -0.9576], [0.8154, 0.9061]]]]> : tensor<2x3x3x2xf32>
    %w0_fix = nn.fix %w0 {fix_point = 6} : tensor<2x3x3x2xf32>
    %c0 = nn.conv2d %p0, %w0_fix : (tensor<1x6x7x2xf32>, tensor<2x3x3x2xf32>) -> tensor<1x4x5x2xf32>
    %c0_fix = nn.fix %c0 {fix_point = 4} : tensor<1x4x5x2xf32>
    %p1 = nn.pad %c0_fix {paddings = [0, 0, 0, 1, 1, 0, 0, 0]} : (tensor<1x4x5x2xf32>) -> tensor<1x5x6x2xf32>
    %p1_fix = nn.fix %p1 {fix_point = 4} : tensor<1x5x6x2xf32>
    %w1 = nn.constant dense<[[[[-0.7182, 0.4549], [0.6810, 0.3047]], [[-0.6201, -0.2033], [-0.7222, -0.8401]]]]> : tensor<1x2x2x2xf32>
    %w1_fix = nn.fix %w1 {fix_point = 6} : tensor<1x2x2x2xf32>
    %c1 = nn.depthwise_conv2d %p1_fix, %w1_fix {pads = [1, 1, 1, 1]} : (tensor<1x5x6x2xf32>, tensor<1x2x2x2xf32>) -> tensor<1x6x7x2xf32>
    %c1_fix = nn.fix %c1 {fix_point = 4} : tensor<1x6x7x2xf32>
    %p2 = nn.pad %c1_fix {paddings = [0, 0, 1, 1, 0, 1, 0, 0]} : (tensor<1x6x7x2xf32>) -> tensor<1x8x8x2xf32>
    %a0 = nn.avg_pool %p2 {kernel = [2, 2], strides = [2, 2]} : (tensor<1x8x8x2xf32>) -> tensor<1x4x4x2xf32>
    %a0_fix = nn.fix %a0 {fix_point = 5} : tensor<1x4x4x2xf32>
    %p3 = nn.pad %a0_fix {paddings = [0, 0, 1, 1, 0, 0, 0, 0], mode = "symmetric"} : (tensor<1x4x4x2xf32>) -> tensor<1x6x4x2xf32>
    %w2 = nn.constant dense<[[[[-0.7828, 0.9765], [0.0750, -0.7782], [-0.4304, 0.5631]], [[-0.6591, -0.8661], [-0.3025, 0.9546], [0.9149, -0.4753]], [[0.1011, 0.5375], [-0.7012, 0.0893], [-0.3237, 0.0137]]], [[[0.1228, 0.5690], [-0.1760, -0.8727], [-0.8694, 0.3244]], [[-0.4878, 0.4286], [0.0635, 0.5561], [0.0091, -0.6320]], [[-0.7730, 0.1718], [-0.9406, 0.9336], [0.4796, -0.1382]]]]> : tensor<2x3x3x2xf32>
    %w2_fix = nn.fix %w2 {fix_point = 6} : tensor<2x3x3x2xf32>
    %c2 = nn.conv2d %p3, %w2_fix : (tensor<1x6x4x2xf32>, tensor<2x3x3x2xf32>) -> tensor<1x4x2x2xf32>
    %c2_fix = nn.fix %c2 {fix_point = 4} : tensor<1x4x2x2xf32>
    func.return %c2_fix : tensor<1x4x2x2xf32>
  }
}
