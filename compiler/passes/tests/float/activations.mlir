// Formulas of frameworks, and what only looks like them.
module @activations {
  func.func @known(%x: tensor<1x4xf32>) -> (tensor<1x4xf32>, tensor<1x4xf32>, tensor<1x4xf32>, tensor<1x4xf32>, tensor<1x4xf32>, tensor<1x4xf32>, tensor<1x4xf32>) {
    %three = nn.constant dense<3.0> : tensor<1xf32>
    %six = nn.constant dense<6.0> : tensor<1xf32>
    %sixth = nn.constant dense<0.1666666716337204> : tensor<1xf32>
    %hardware = nn.constant dense<0.16668701171875> : tensor<1xf32>
    %sigmoid = nn.sigmoid %x : tensor<1x4xf32>
    %silu = nn.mul %sigmoid, %x : tensor<1x4xf32>
    %soft = nn.softplus %x : tensor<1x4xf32>
    %tanh = nn.tanh %soft : tensor<1x4xf32>
    %mish = nn.mul %x, %tanh : tensor<1x4xf32>
    %sum = nn.add %x, %three : (tensor<1x4xf32>, tensor<1xf32>) -> tensor<1x4xf32>
    %clip = nn.relu6 %sum : tensor<1x4xf32>
    %gate = nn.div %clip, %six : (tensor<1x4xf32>, tensor<1xf32>) -> tensor<1x4xf32>
    %torch = nn.mul %x, %gate : tensor<1x4xf32>
    %product = nn.mul %x, %clip : tensor<1x4xf32>
    %paddle = nn.mul %product, %sixth : (tensor<1x4xf32>, tensor<1xf32>) -> tensor<1x4xf32>
    %relu = nn.relu %sum : tensor<1x4xf32>
    %both = nn.relu6 %relu : tensor<1x4xf32>
    %quantised = nn.mul %both, %hardware : (tensor<1x4xf32>, tensor<1xf32>) -> tensor<1x4xf32>
    func.return %silu, %mish, %gate, %torch, %paddle, %quantised, %clip : tensor<1x4xf32>, tensor<1x4xf32>, tensor<1x4xf32>, tensor<1x4xf32>, tensor<1x4xf32>, tensor<1x4xf32>, tensor<1x4xf32>
  }
  func.func @others(%x: tensor<1x4xf32>, %z: tensor<1x4xf32>) -> (tensor<1x4xf32>, tensor<1x4xf32>, tensor<1x4xf32>) {
    %two = nn.constant dense<2.0> : tensor<1xf32>
    %six = nn.constant dense<6.0> : tensor<1xf32>
    %sigmoid = nn.sigmoid %x : tensor<1x4xf32>
    %gated = nn.mul %sigmoid, %z : tensor<1x4xf32>
    %sum = nn.add %x, %two : (tensor<1x4xf32>, tensor<1xf32>) -> tensor<1x4xf32>
    %clip = nn.relu6 %sum : tensor<1x4xf32>
    %slope = nn.div %clip, %six : (tensor<1x4xf32>, tensor<1xf32>) -> tensor<1x4xf32>
    %tanh = nn.tanh %x : tensor<1x4xf32>
    %product = nn.mul %x, %tanh : tensor<1x4xf32>
    func.return %gated, %slope, %product : tensor<1x4xf32>, tensor<1x4xf32>, tensor<1x4xf32>
  }
}
