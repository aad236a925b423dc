from .enlargements import (
    Enlargement,
    Likeness,
    enlarge_and_score,
    enlargements_sheet,
    enlargements_table,
    mean_likeness,
)
from .lpips import Lpips
from .naturalness import frechet_distance, pooled_features
from .paintings import (
    Painting,
    check_styles,
    optimize_beside,
    paint_and_score,
    paintings_sheet,
    style_size_of,
)
from .plots import plot_lines
from .scores import LPIPS_ARCHITECTURES, Judge, Scores, mean_scores
from .summaries import ALL, Summary, scores_table, summarize, worth_table
from .temporal import (
    LONG,
    SHORT,
    FrameFigures,
    FrameLosses,
    frame_figures,
    mean_figure,
    temporal_error,
    temporal_table,
)
from .worth import (
    STARTS,
    Average,
    Optimization,
    PixelOptimizer,
    average_worth,
    starting_pictures,
    worth_in_steps,
)

__all__ = [
    "ALL",
    "LONG",
    "LPIPS_ARCHITECTURES",
    "SHORT",
    "STARTS",
    "Average",
    "Enlargement",
    "FrameFigures",
    "FrameLosses",
    "Judge",
    "Likeness",
    "Lpips",
    "Optimization",
    "Painting",
    "PixelOptimizer",
    "Scores",
    "Summary",
    "average_worth",
    "check_styles",
    "enlarge_and_score",
    "enlargements_sheet",
    "enlargements_table",
    "frame_figures",
    "frechet_distance",
    "mean_figure",
    "mean_likeness",
    "mean_scores",
    "optimize_beside",
    "paint_and_score",
    "paintings_sheet",
    "plot_lines",
    "pooled_features",
    "scores_table",
    "starting_pictures",
    "style_size_of",
    "summarize",
    "temporal_error",
    "temporal_table",
    "worth_in_steps",
    "worth_table",
]
