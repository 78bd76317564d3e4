"""Studies: a TOML file becomes a checked configuration, a sweep, and results with errors, units and provenance."""

from orbiphon.study.config import Study as Study, load_study as load_study, read_study as read_study
from orbiphon.study.provenance import bibliography as bibliography, citations as citations
from orbiphon.study.run import Interrupted as Interrupted, Report as Report, check as check, run as run
from orbiphon.study.spectrum import save_spectrum as save_spectrum, spectrum_dataset as spectrum_dataset
from orbiphon.study.store import to_xarray as to_xarray
from orbiphon.study.sweep import Plan as Plan, plan as plan
