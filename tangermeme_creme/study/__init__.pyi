from .run import dask_executor as dask_executor, plan_study as plan_study, run_study as run_study
from .spec import SpecError as SpecError, StudyError as StudyError, StudySpec as StudySpec, read_spec as read_spec
from .tables import Study as Study, export_study as export_study, write_report as write_report
