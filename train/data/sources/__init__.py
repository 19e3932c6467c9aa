"""Where training images come from: photos, the camera, FER2013's table."""
