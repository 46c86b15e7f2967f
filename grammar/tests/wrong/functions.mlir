// Functions and modules.
module lenet {
  func.func main(%a: i8) {
    func.return
  }
  func.func @no_parameters {
    func.return
  }
  func.func @types(%a, %b: i8, c: i8) -> i8 {
    func.return %a : i8
  }
  func.func @arrow(%a: i8) i8 {
    return %a : i8
  }
  func @short(%a: i8) -> i8 {
    return %a : i8
  }
  func.func privte @visibility()
  func.func @numbered(%a#1: i8)
}
modul @typo {
}
