// Shuffles of channels, computed with channels first between operators that have them last.
module @chains {
  func.func @main(%x: tensor<1x5x7x12xf32>, %codes: tensor<1x2x2x6xi8, #int8.fix<3>>) -> (tensor<1x5x7x12xf32>, tensor<1x2x2x6xi8, #int8.fix<3>>, tensor<1x12x5x7xf32>, tensor<7x60xf32>) {
    %r = nn.relu %x : tensor<1x5x7x12xf32>
    %first = nn.transpose %r {order = [0, 3, 1, 2]} : (tensor<1x5x7x12xf32>) -> tensor<1x12x5x7xf32>
    %split = nn.reshape %first : (tensor<1x12x5x7xf32>) -> tensor<1x3x4x5x7xf32>
    %turned = nn.transpose %split {order = [0, 2, 1, 3, 4]} : (tensor<1x3x4x5x7xf32>) -> tensor<1x4x3x5x7xf32>
    %joined = nn.reshape %turned : (tensor<1x4x3x5x7xf32>) -> tensor<1x12x5x7xf32>
    %last = nn.transpose %joined {order = [0, 2, 3, 1]} : (tensor<1x12x5x7xf32>) -> tensor<1x5x7x12xf32>
    %shuffled = nn.max_pool %last {kernel = [3, 3], pads = [1, 1, 1, 1]} : tensor<1x5x7x12xf32>
    %a = int8.transpose %codes {order = [0, 3, 1, 2]} : (tensor<1x2x2x6xi8, #int8.fix<3>>) -> tensor<1x6x2x2xi8, #int8.fix<3>>
    %b = int8.reshape %a : (tensor<1x6x2x2xi8, #int8.fix<3>>) -> tensor<1x6x4xi8, #int8.fix<3>>
    %c = int8.transpose %b {order = [0, 2, 1]} : (tensor<1x6x4xi8, #int8.fix<3>>) -> tensor<1x4x6xi8, #int8.fix<3>>
    %d = int8.reshape %c : (tensor<1x4x6xi8, #int8.fix<3>>) -> tensor<1x2x2x6xi8, #int8.fix<3>>
    %same = int8.requantise %d {activation = "relu"} : tensor<1x2x2x6xi8, #int8.fix<3>>
    // Another reader of the first transposition needs it: it stays, and the chain behind it cannot be made shorter.
    %kept = nn.transpose %shuffled {order = [0, 3, 1, 2]} : (tensor<1x5x7x12xf32>) -> tensor<1x12x5x7xf32>
    %flat = nn.reshape %kept : (tensor<1x12x5x7xf32>) -> tensor<60x7xf32>
    %back = nn.transpose %flat {order = [1, 0]} : (tensor<60x7xf32>) -> tensor<7x60xf32>
    func.return %shuffled, %same, %kept, %back : tensor<1x5x7x12xf32>, tensor<1x2x2x6xi8, #int8.fix<3>>, tensor<1x12x5x7xf32>, tensor<7x60xf32>
  }
}
