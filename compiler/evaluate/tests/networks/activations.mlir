// Activations by themselves; those the hardware computes differently stay.
// left: nn.hard_swish, nn.leaky_relu, nn.relu6, nn.sigmoid, nn.softmax, nn.tanh
module @activations {
  func.func @main(%x: tensor<1x2x3x4xf32>) -> (tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>) {
    %x_fix = nn.fix %x {fix_point = 4} : tensor<1x2x3x4xf32>
    %a = nn.relu %x_fix : tensor<1x2x3x4xf32>
    %a_fix = nn.fix %a {fix_point = 5} : tensor<1x2x3x4xf32>
    %b = nn.relu6 %x_fix : tensor<1x2x3x4xf32>
    %b_fix = nn.fix %b {fix_point = 4} : tensor<1x2x3x4xf32>
    %c = nn.relu6 %x_fix : tensor<1x2x3x4xf32>
    %c_fix = nn.fix %c {fix_point = 3} : tensor<1x2x3x4xf32>
    %d = nn.leaky_relu %x_fix {alpha = 0.1015625} : tensor<1x2x3x4xf32>
    %d_fix = nn.fix %d {fix_point = 4} : tensor<1x2x3x4xf32>
    %e = nn.leaky_relu %x_fix {alpha = 0.25} : tensor<1x2x3x4xf32>
    %e_fix = nn.fix %e {fix_point = 5} : tensor<1x2x3x4xf32>
    %f = nn.leaky_relu %x_fix {alpha = 0.30000001192092896} : tensor<1x2x3x4xf32>
    %f_fix = nn.fix %f {fix_point = 5} : tensor<1x2x3x4xf32>
    %g = nn.hard_sigmoid %x_fix : tensor<1x2x3x4xf32>
    %sixth = nn.constant dense<1.0001220703125> : tensor<f32>
    %gc = nn.mul %g, %sixth : (tensor<1x2x3x4xf32>, tensor<f32>) -> tensor<1x2x3x4xf32>
    %gc_fix = nn.fix %gc {fix_point = 7} : tensor<1x2x3x4xf32>
    %coarse = nn.fix %x {fix_point = -1} : tensor<1x2x3x4xf32>
    %h = nn.hard_swish %coarse : tensor<1x2x3x4xf32>
    %h_fix = nn.fix %h {fix_point = 4} : tensor<1x2x3x4xf32>
    %i = nn.sigmoid %x_fix : tensor<1x2x3x4xf32>
    %i_fix = nn.fix %i {fix_point = 7} : tensor<1x2x3x4xf32>
    %j = nn.tanh %x_fix : tensor<1x2x3x4xf32>
    %j_fix = nn.fix %j {fix_point = 7} : tensor<1x2x3x4xf32>
    %k = nn.softmax %x_fix {axis = 3} : tensor<1x2x3x4xf32>
    func.return %a_fix, %b_fix, %c_fix, %d_fix, %e_fix, %f_fix, %gc_fix, %h_fix, %i_fix, %j_fix, %k : tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>
  }
}
