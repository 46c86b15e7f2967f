// Types and signatures.
%0 = nn.relu %a = tensor<1xf32>
%1 = nn.relu %a :
%2 = nn.add %a, %b : (tensor<1xf32>, tensor<1xf32>) tensor<1xf32>
%3 = nn.add %a, %b : (tensor<1xf32>, tensor<1xf32>)
%4 = nn.add %a, %b : (tensor<1xf32>, tensor<1xf32>) => tensor<1xf32>
%5 = nn.add %a, %b : (tensor<1xf32> tensor<1xf32>) -> tensor<1xf32>
%6 = nn.add %a, %b : (tensor<1xf32>, tensor<1xf32>) ->
%7 = "nn.add"(%a, %b) : tensor<1xf32>
%8 = "nn.add"(%a, %b)
%9 = "nn.add" %a, %b : (i8, i8) -> i8
%10 = nn.relu %a tensor<1xf32>
func.return %9, %10 : tensor<1xf32> tensor<1xf32>
