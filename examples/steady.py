"""Makes arithmetic come out the same on every x86-64 machine with AVX2.

To be imported before anything else. One thread, one kernel family for matrix products, and none
of NumPy's widest vector paths: with the pinned versions of requirements.txt, a second training
then gives the same bytes.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["OPENBLAS_CORETYPE"] = "Haswell"
os.environ["NPY_DISABLE_CPU_FEATURES"] = " ".join(
    ["X86_V4", "AVX512_ICL", "AVX512_SPR"]
)
