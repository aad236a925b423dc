from .lpips import Lpips
from .paintings import Painting, check_styles, optimize_beside, paint_and_score, paintings_sheet
from .scores import LPIPS_ARCHITECTURES, Judge, Scores, mean_scores
from .summaries import ALL, Summary, scores_table, summarize, worth_table
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
    "LPIPS_ARCHITECTURES",
    "STARTS",
    "Average",
    "Judge",
    "Lpips",
    "Optimization",
    "Painting",
    "PixelOptimizer",
    "Scores",
    "Summary",
    "average_worth",
    "check_styles",
    "mean_scores",
    "optimize_beside",
    "paint_and_score",
    "paintings_sheet",
    "scores_table",
    "starting_pictures",
    "summarize",
    "worth_in_steps",
    "worth_table",
]
