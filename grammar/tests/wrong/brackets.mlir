// Brackets and strings that are not closed.
module {
  %0 = nn.conv2d %a, %b {strides = [1, 1, pads = [0, 0]} : (tensor<1xf32>) -> tensor<1xf32>
  %1 = nn.conv2d %a, %b {strides = [1, 1]
  %2 = nn.relu %1 : tensor<1xf32
  %3 = nn.relu %2 : tensor<1xf32>>
  %4 = "nn.relu"(%3 : (i8) -> i8
  func.func @f(%x: i8 {
    func.return
  }
  %5 = nn.constant @"unclosed : tensor<1xf32>
  %6 = nn.note {text = "unclosed} : i8
  %7 = nn.relu %6) : i8
}
}
%8 = nn.relu %7 : i8
