from .costs import cost_of as cost_of
from .executors import InProcess as InProcess, dask_executor as dask_executor
from .fingerprint import fingerprint_file as fingerprint_file
from .inputs import read_loci as read_loci
from .model_loading import load_model as load_model
from .plan import Plan as Plan, plan_study as plan_study
from .progress import Progress as Progress
from .runner import run_study as run_study
from .selection import select_loci as select_loci
from .tasks import Task as Task
