"""Makes the model's input from grey images of 8 x 8 pixels, 0 for paper and 255 for ink."""

import numpy as np


def preprocess(images: np.ndarray) -> np.ndarray:
    """From `[batch, 8, 8]` or `[8, 8]`, 0 to 255, to FP32 `[batch, 1, 8, 8]`, 0 to 1."""
    return np.asarray(images, dtype=np.float32).reshape(-1, 1, 8, 8) / 255
