from .counts import check_choice as check_choice, check_count as check_count
from .edits import (
    UNKNOWN as UNKNOWN,
    Edits as Edits,
    apply_edits as apply_edits,
    check_edits as check_edits,
    join_packed as join_packed,
    make_edits as make_edits,
    pack as pack,
    span_codes as span_codes,
    to_one_hot as to_one_hot,
)
from .shuffles import (
    RandomState as RandomState,
    ShuffleFn as ShuffleFn,
    Shuffler as Shuffler,
    example_seeds as example_seeds,
    later_shuffles as later_shuffles,
    shuffle_backgrounds as shuffle_backgrounds,
    tile_seed as tile_seed,
)
from .spans import (
    Span as Span,
    Spans as Spans,
    check_apart as check_apart,
    check_disjoint as check_disjoint,
    check_one_width as check_one_width,
    check_spans as check_spans,
    integers as integers,
    lacks_values as lacks_values,
    span_per_example as span_per_example,
)
from .tiles import (
    TileGrid as TileGrid,
    check_center as check_center,
    span_to_genome as span_to_genome,
    spans_to_genome as spans_to_genome,
    tile_grid as tile_grid,
)
