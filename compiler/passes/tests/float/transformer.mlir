// What transformers are made of, as exporters write it.
module @transformer {
  func.func @gelus(%x: tensor<1x4xf32>) -> (tensor<1x4xf32>, tensor<1x4xf32>, tensor<1x4xf32>, tensor<1x4xf32>, tensor<1x4xf32>) {
    %root = nn.constant dense<1.4142135381698608> : tensor<1xf32>
    %one = nn.constant dense<1.0> : tensor<1xf32>
    %half = nn.constant dense<0.5> : tensor<1xf32>
    %two = nn.constant dense<2.0> : tensor<1xf32>
    %three = nn.constant dense<3.0> : tensor<1xf32>
    %cube = nn.constant dense<0.044714998453855515> : tensor<1xf32>
    %scale = nn.constant dense<0.7978845834732056> : tensor<1xf32>
    %q1 = nn.div %x, %root : (tensor<1x4xf32>, tensor<1xf32>) -> tensor<1x4xf32>
    %e1 = nn.erf %q1 : tensor<1x4xf32>
    %g1 = nn.add %e1, %one : (tensor<1x4xf32>, tensor<1xf32>) -> tensor<1x4xf32>
    %p1 = nn.mul %x, %g1 : tensor<1x4xf32>
    %torch = nn.mul %p1, %half : (tensor<1x4xf32>, tensor<1xf32>) -> tensor<1x4xf32>
    %h2 = nn.div %x, %two : (tensor<1x4xf32>, tensor<1xf32>) -> tensor<1x4xf32>
    %keras = nn.mul %g1, %h2 : tensor<1x4xf32>
    %h3 = nn.mul %g1, %half : (tensor<1x4xf32>, tensor<1xf32>) -> tensor<1x4xf32>
    %gated = nn.mul %x, %h3 : tensor<1x4xf32>
    %c4 = nn.pow %x, %three : (tensor<1x4xf32>, tensor<1xf32>) -> tensor<1x4xf32>
    %k4 = nn.mul %c4, %cube : (tensor<1x4xf32>, tensor<1xf32>) -> tensor<1x4xf32>
    %s4 = nn.add %x, %k4 : tensor<1x4xf32>
    %u4 = nn.mul %s4, %scale : (tensor<1x4xf32>, tensor<1xf32>) -> tensor<1x4xf32>
    %t4 = nn.tanh %u4 : tensor<1x4xf32>
    %g4 = nn.add %t4, %one : (tensor<1x4xf32>, tensor<1xf32>) -> tensor<1x4xf32>
    %h4 = nn.mul %x, %half : (tensor<1x4xf32>, tensor<1xf32>) -> tensor<1x4xf32>
    %new = nn.mul %h4, %g4 : tensor<1x4xf32>
    %k5 = nn.mul %x, %cube : (tensor<1x4xf32>, tensor<1xf32>) -> tensor<1x4xf32>
    %c5 = nn.mul %k5, %x : tensor<1x4xf32>
    %s5 = nn.add %c5, %one : (tensor<1x4xf32>, tensor<1xf32>) -> tensor<1x4xf32>
    %u5 = nn.mul %x, %scale : (tensor<1x4xf32>, tensor<1xf32>) -> tensor<1x4xf32>
    %v5 = nn.mul %u5, %s5 : tensor<1x4xf32>
    %t5 = nn.tanh %v5 : tensor<1x4xf32>
    %g5 = nn.add %t5, %one : (tensor<1x4xf32>, tensor<1xf32>) -> tensor<1x4xf32>
    %fast = nn.mul %h4, %g5 : tensor<1x4xf32>
    func.return %torch, %keras, %gated, %new, %fast : tensor<1x4xf32>, tensor<1x4xf32>, tensor<1x4xf32>, tensor<1x4xf32>, tensor<1x4xf32>
  }
  func.func @norms(%x: tensor<1x2x4xf32>) -> (tensor<1x2x4xf32>, tensor<1x2x4xf32>) {
    %epsilon = nn.constant dense<1.0e-5> : tensor<1xf32>
    %two = nn.constant dense<2.0> : tensor<1xf32>
    %scale = nn.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
    %offset = nn.constant dense<[[[0.5, 0.25, 0.125, -1.0]]]> : tensor<1x1x4xf32>
    %mean = nn.reduce_mean %x {axes = [2]} : (tensor<1x2x4xf32>) -> tensor<1x2x1xf32>
    %d = nn.sub %x, %mean : (tensor<1x2x4xf32>, tensor<1x2x1xf32>) -> tensor<1x2x4xf32>
    %square = nn.pow %d, %two : (tensor<1x2x4xf32>, tensor<1xf32>) -> tensor<1x2x4xf32>
    %variance = nn.reduce_mean %square {axes = [2]} : (tensor<1x2x4xf32>) -> tensor<1x2x1xf32>
    %sum = nn.add %variance, %epsilon : (tensor<1x2x1xf32>, tensor<1xf32>) -> tensor<1x2x1xf32>
    %deviation = nn.sqrt %sum : tensor<1x2x1xf32>
    %norm = nn.div %d, %deviation : (tensor<1x2x4xf32>, tensor<1x2x1xf32>) -> tensor<1x2x4xf32>
    %scaled = nn.mul %norm, %scale : (tensor<1x2x4xf32>, tensor<4xf32>) -> tensor<1x2x4xf32>
    %last = nn.add %scaled, %offset : (tensor<1x2x4xf32>, tensor<1x1x4xf32>) -> tensor<1x2x4xf32>
    %mean2 = nn.reduce_mean %x {axes = [1, 2]} : (tensor<1x2x4xf32>) -> tensor<1x1x1xf32>
    %d2 = nn.sub %x, %mean2 : (tensor<1x2x4xf32>, tensor<1x1x1xf32>) -> tensor<1x2x4xf32>
    %square2 = nn.mul %d2, %d2 : tensor<1x2x4xf32>
    %variance2 = nn.reduce_mean %square2 {axes = [2, 1]} : (tensor<1x2x4xf32>) -> tensor<1x1x1xf32>
    %sum2 = nn.add %epsilon, %variance2 : (tensor<1xf32>, tensor<1x1x1xf32>) -> tensor<1x1x1xf32>
    %deviation2 = nn.sqrt %sum2 : tensor<1x1x1xf32>
    %both = nn.div %d2, %deviation2 : (tensor<1x2x4xf32>, tensor<1x1x1xf32>) -> tensor<1x2x4xf32>
    func.return %last, %both : tensor<1x2x4xf32>, tensor<1x2x4xf32>
  }
  func.func @others(%x: tensor<1x4xf32>, %z: tensor<1x4xf32>) -> (tensor<1x4xf32>, tensor<1x4xf32>, tensor<1x4xf32>) {
    %root = nn.constant dense<1.4142135381698608> : tensor<1xf32>
    %one = nn.constant dense<1.0> : tensor<1xf32>
    %half = nn.constant dense<0.5> : tensor<1xf32>
    %epsilon = nn.constant dense<1.0e-5> : tensor<1xf32>
    %q = nn.div %x, %root : (tensor<1x4xf32>, tensor<1xf32>) -> tensor<1x4xf32>
    %e = nn.erf %q : tensor<1x4xf32>
    %g = nn.add %e, %one : (tensor<1x4xf32>, tensor<1xf32>) -> tensor<1x4xf32>
    %p = nn.mul %z, %g : tensor<1x4xf32>
    %foreign = nn.mul %p, %half : (tensor<1x4xf32>, tensor<1xf32>) -> tensor<1x4xf32>
    %f = nn.erf %x : tensor<1x4xf32>
    %h = nn.add %f, %one : (tensor<1x4xf32>, tensor<1xf32>) -> tensor<1x4xf32>
    %r = nn.mul %x, %h : tensor<1x4xf32>
    %unscaled = nn.mul %r, %half : (tensor<1x4xf32>, tensor<1xf32>) -> tensor<1x4xf32>
    %mean = nn.reduce_mean %x {axes = [0]} : (tensor<1x4xf32>) -> tensor<1x4xf32>
    %d = nn.sub %x, %mean : tensor<1x4xf32>
    %square = nn.mul %d, %d : tensor<1x4xf32>
    %variance = nn.reduce_mean %square {axes = [0]} : (tensor<1x4xf32>) -> tensor<1x4xf32>
    %sum = nn.add %variance, %epsilon : (tensor<1x4xf32>, tensor<1xf32>) -> tensor<1x4xf32>
    %deviation = nn.sqrt %sum : tensor<1x4xf32>
    %batch = nn.div %d, %deviation : tensor<1x4xf32>
    func.return %foreign, %unscaled, %batch : tensor<1x4xf32>, tensor<1x4xf32>, tensor<1x4xf32>
  }
}
