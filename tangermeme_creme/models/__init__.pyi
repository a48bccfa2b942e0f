from .attention import run_block as run_block
from .borzoi import BorzoiTSS as BorzoiTSS
from .enformer import EnformerTSS as EnformerTSS
from .paper import BORZOI_TRACKS as BORZOI_TRACKS, BORZOI_WEIGHTS as BORZOI_WEIGHTS, ENFORMER_TRACKS as ENFORMER_TRACKS
from .readout import PeakReadout as PeakReadout, Readout as Readout, tss_bins as tss_bins
from .toy import RegulatoryToy as RegulatoryToy
