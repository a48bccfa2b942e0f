from .genome import Genome as Genome, simulate_genome as simulate_genome, write_genome as write_genome
from .network import (
    CELLS as CELLS,
    MOTIFS as MOTIFS,
    RESPONSES as RESPONSES,
    WEIGHTS as WEIGHTS,
    RegulatoryToy as RegulatoryToy,
)
from .simulate import (
    Element as Element,
    expected_activity as expected_activity,
    motif_starts as motif_starts,
    moved as moved,
    simulate_sequence as simulate_sequence,
    within as within,
    without as without,
)
