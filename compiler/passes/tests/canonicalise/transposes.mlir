// A network whose framework computes in the order of channels first: transpositions around every operator cancel.
module @transposes {
  func.func @main(%x: tensor<1x3x4x5xf32>, %w: tensor<6x1x1x3xf32>) -> (tensor<1x12x4x5xf32>, tensor<1x4x5x6xf32>, tensor<1x6x1x1xf32>, tensor<1x6x1x1xf32>) {
    %x_map = nn.transpose %x {order = [0, 2, 3, 1]} : (tensor<1x3x4x5xf32>) -> tensor<1x4x5x3xf32>
    %c = nn.conv2d %x_map, %w : (tensor<1x4x5x3xf32>, tensor<6x1x1x3xf32>) -> tensor<1x4x5x6xf32>
    %c_first = nn.transpose %c {order = [0, 3, 1, 2]} : (tensor<1x4x5x6xf32>) -> tensor<1x6x4x5xf32>
    %r = nn.relu %c_first : tensor<1x6x4x5xf32>
    %f = nn.fix %r {fix_point = 4} : tensor<1x6x4x5xf32>
    %r_map = nn.transpose %f {order = [0, 2, 3, 1]} : (tensor<1x6x4x5xf32>) -> tensor<1x4x5x6xf32>
    %m = nn.max_pool %r_map {kernel = [3, 3], pads = [1, 1, 1, 1]} : tensor<1x4x5x6xf32>
    %m_first = nn.transpose %m {order = [0, 3, 1, 2]} : (tensor<1x4x5x6xf32>) -> tensor<1x6x4x5xf32>
    %scale = nn.constant dense<[[[[0.5]], [[1.5]], [[2.5]], [[-0.5]], [[1.0]], [[4.0]]]]> : tensor<1x6x1x1xf32>
    %half = nn.constant dense<0.5> : tensor<1xf32>
    %scaled = nn.mul %m_first, %scale : (tensor<1x6x4x5xf32>, tensor<1x6x1x1xf32>) -> tensor<1x6x4x5xf32>
    %shifted = nn.add %half, %scaled : (tensor<1xf32>, tensor<1x6x4x5xf32>) -> tensor<1x6x4x5xf32>
    %s = nn.sigmoid %shifted : tensor<1x6x4x5xf32>
    %a = nn.avg_pool %r_map {kernel = [1, 1]} : tensor<1x4x5x6xf32>
    %a_first = nn.transpose %a {order = [0, 3, 1, 2]} : (tensor<1x4x5x6xf32>) -> tensor<1x6x4x5xf32>
    %joined = nn.concat %s, %a_first {axis = 1} : (tensor<1x6x4x5xf32>, tensor<1x6x4x5xf32>) -> tensor<1x12x4x5xf32>
    %p = nn.pad %m_first {paddings = [0, 0, 0, 0, 1, 0, 0, 1]} : (tensor<1x6x4x5xf32>) -> tensor<1x6x5x6xf32>
    %p_map = nn.transpose %p {order = [0, 2, 3, 1]} : (tensor<1x6x5x6xf32>) -> tensor<1x5x6x6xf32>
    %part = nn.strided_slice %p_map {begin = [0, 1, 1, 0], end = [1, 5, 6, 6], strides = [1, 1, 1, 1]} : (tensor<1x5x6x6xf32>) -> tensor<1x4x5x6xf32>
    %mean = nn.reduce_mean %part {axes = [1, 2]} : (tensor<1x4x5x6xf32>) -> tensor<1x1x1x6xf32>
    %mean_first = nn.transpose %mean {order = [0, 3, 1, 2]} : (tensor<1x1x1x6xf32>) -> tensor<1x6x1x1xf32>
    %turned = nn.transpose %c {order = [0, 3, 2, 1]} : (tensor<1x4x5x6xf32>) -> tensor<1x6x5x4xf32>
    %top = nn.reduce_max %turned {axes = [2, 3]} : (tensor<1x6x5x4xf32>) -> tensor<1x6x1x1xf32>
    func.return %joined, %part, %mean_first, %top : tensor<1x12x4x5xf32>, tensor<1x4x5x6xf32>, tensor<1x6x1x1xf32>, tensor<1x6x1x1xf32>
  }
}
