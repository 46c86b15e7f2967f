module {
  func.func @main(%x: tensor<1x4x4x129xi8, #int8.fix<5>>, %f: tensor<1x4x4x200xf32>) -> tensor<1x4x4x1xf32> {
    %a = int8.argmax %x {axis = 3} : (tensor<1x4x4x129xi8, #int8.fix<5>>) -> tensor<1x4x4x1xi8, #int8.fix<0>>
    %b = int8.argmax %x {axis = 2} : (tensor<1x4x4x129xi8, #int8.fix<5>>) -> tensor<1x4x1x129xi8, #int8.fix<5>>
    %c = int8.argmax %x {axis = 1} : (tensor<1x4x4x129xi8, #int8.fix<5>>) -> tensor<1x4x129xi8, #int8.fix<0>>
    %d = nn.argmax %f {axis = 4} : (tensor<1x4x4x200xf32>) -> tensor<1x4x4x1xf32>
    %e = nn.argmax %f {axis = 3} : (tensor<1x4x4x200xf32>) -> tensor<1x4x4x1xf32>
    func.return %e : tensor<1x4x4x1xf32>
  }
}
