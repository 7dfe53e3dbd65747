"""A bundle adapted to a lab's own crops: recalibrated, its branches fitted anew, or all of it.

The bundle's own session embeds the crops once; recalibrating and fitting branches need no torch.
Training the trunk on does, and rebuilds the network from the ONNX file's weights.
"""
