"""The paper: DTL and DMTL, from a configuration to a bundle. The only place that knows torch."""

import os

# Torch's threads wait for one another by spinning, up to milliseconds at a time. Where another
# program wants a core, each spins through the turn that the other is waiting for: a training step
# on two cores then takes five times as long. A shorter spin costs nothing on a quiet machine. It is
# read when torch is loaded, which happens below this package.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
