mod tensors;
