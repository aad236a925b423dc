"""Flags that are made from configurations, with the values, help and messages that follow."""

import ast
import dataclasses
import pathlib
import re
from typing import Literal

import pytest
from absl import flags

from stylezoo.binaries import main
from stylezoo.binaries.common import config_flags
from stylezoo.synthesis.configurations import InversionConfig, TextureConfig, TransferConfig
from stylezoo.training.loop_config import LoopConfig
from stylezoo.training.painter_configs import StyleTraining, SuperresTraining, TextureTraining


@dataclasses.dataclass(frozen=True)
class Schedule:
    """When.

    Attributes:
        steps: Number of steps.
        every: Steps between two of what happens; by default as many as ``steps``.
    """

    steps: int = 5
    every: int | None = None


@dataclasses.dataclass(frozen=True)
class Base:
    """Of both.

    Attributes:
        seed: Seed of everything random (Gatys et al. 2016). The same seed gives
            the same picture.
    """

    seed: int = 0


@dataclasses.dataclass(frozen=True)
class Config(Base):
    """What.

    Attributes:
        name: Name of a network such as ``"vgg16"``, see
            :func:`~stylezoo.classifiers.get`.
        rate: Base learning rate. Small is slow.
        tiny: Smallest number.
        flip: Mirror every other picture.
        pooling: Pooling of the network. ``"avg"`` is smooth.
        layers: Layers that are compared.
        shares: Share of each layer.
        schedule: Steps.
        optimizer: No flag can be that.

    Raises:
        ValueError: if ``rate`` is not > 0.
    """

    name: str | None = None
    rate: float = 0.02
    tiny: float = 1e-7
    flip: bool = True
    pooling: Literal["max", "avg"] = "max"
    layers: tuple[str, ...] = ("relu1_1", "relu2_1")
    shares: tuple[float, ...] | None = None
    schedule: Schedule = Schedule()
    optimizer: object = None

    def __post_init__(self):
        if not self.rate > 0:
            raise ValueError(f"`rate` must be > 0. Received: rate={self.rate}")
        if self.schedule.every == 0:
            raise ValueError("`every` must be > 0. Received: every=0")


@dataclasses.dataclass(frozen=True)
class Whole:
    """A required field and a required configuration.

    Attributes:
        source: The picture.
        inner: The configuration.
    """

    source: str
    inner: Base
    config: Config = Config()


NAMES = {"rate": "learning_rate", "schedule": "patch_", "schedule.steps": "num_steps"}
FLAGS = config_flags.ConfigFlags(Config, skip=["optimizer"], names=NAMES)


def parse(config, *arguments):
    values = flags.FlagValues()
    config.define(values)
    values(["command", *arguments])
    return values


def test_help():
    values = parse(FLAGS)
    assert {name: values[name].help for name in values} == {
        "seed": "Seed of everything random (Gatys et al. 2016) (default: 0). The same seed gives the "
        "same picture.",
        "name": "Name of a network such as vgg16, see get.",
        "learning_rate": "Base learning rate (default: 0.02). Small is slow.",
        "tiny": "Smallest number (default: 1e-07).",
        "flip": "Mirror every other picture (default: true).",
        "pooling": "Pooling of the network (one of max, avg; default: max). avg is smooth.",
        "layers": "Layers that are compared (default: relu1_1,relu2_1).",
        "shares": "Share of each layer.",
        "num_steps": "Number of steps (default: 5).",
        "patch_every": "Steps between two of what happens; by default as many as --num_steps.",
    }


def test_help_shows_the_values_of_a_preset():
    preset = Config(rate=0.5, shares=(0.25, 0.75), schedule=Schedule(steps=7))
    values = parse(config_flags.ConfigFlags(preset, fields=["rate", "shares", "schedule"]))
    assert {name: values[name].help for name in values} == {
        "rate": "Base learning rate (default: 0.5). Small is slow.",
        "shares": "Share of each layer (default: 0.25,0.75).",
        "steps": "Number of steps (default: 7).",
        "every": "Steps between two of what happens; by default as many as --steps.",
    }


def test_help_without_defaults():
    values = parse(config_flags.ConfigFlags(Config, fields=["pooling"], show_defaults=False))
    assert values["pooling"].help == "Pooling of the network (one of max, avg). avg is smooth."


def test_what_is_not_given_stays():
    preset = Config(name="lenet5", schedule=Schedule(steps=7))
    values = parse(FLAGS)
    assert FLAGS.given(values) == {}
    assert FLAGS.replace(values, preset) is preset
    assert FLAGS.create(values) == Config()


def test_every_type():
    values = parse(
        FLAGS,
        *("--name=vgg19", "--learning_rate=3", "--noflip", "--pooling=avg", "--layers=a,b"),
        *("--shares=1,0.5", "--num_steps=0", "--patch_every=4", "--seed=-2"),
    )
    preset = Config(tiny=2.0, optimizer="kept")
    assert FLAGS.replace(values, preset) == Config(
        seed=-2,
        name="vgg19",
        rate=3.0,
        tiny=2.0,
        flip=False,
        pooling="avg",
        layers=("a", "b"),
        shares=(1.0, 0.5),
        schedule=Schedule(0, 4),
        optimizer="kept",
    )
    assert FLAGS.given(values)["schedule.steps"] == 0
    assert FLAGS.create(values, optimizer="own").optimizer == "own"


def test_new_configurations():
    whole = config_flags.ConfigFlags(Whole, skip=["config.optimizer", "config.seed"])
    values = parse(whole, "--source=a.png", "--seed=3", "--steps=4")
    expected = Whole("a.png", Base(3), Config(schedule=Schedule(4)))
    assert whole.create(values) == expected
    preset = Config(rate=0.5, schedule=Schedule(1, 2))
    changed = dataclasses.replace(preset, schedule=Schedule(4, 2))
    assert whole.create(values, config=preset) == dataclasses.replace(expected, config=changed)
    with pytest.raises(ValueError, match=r"^`source` must be given$"):
        whole.create(parse(whole, "--seed=3"))
    with pytest.raises(ValueError, match=r"^`inner` must be given$"):
        whole.create(parse(whole, "--source=a.png"))


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--learning_rate=much", "learning_rate=much"),
        ("--num_steps=1.5", "num_steps=1.5"),
        ("--shares=1,x", "shares=1,x"),
        ("--shares=1,", "shares=1,"),
        ("--flip=perhaps", "flip=perhaps"),
    ],
)
def test_what_is_no_value(argument, message):
    with pytest.raises(flags.IllegalFlagValueError, match=message):
        parse(FLAGS, argument)


def message_of(error, *arguments):
    return config_flags.describe_error(error, parse(FLAGS, *arguments))


@pytest.mark.parametrize("argument", ["--learning_rate=0", "--learning_rate=nan"])
def test_the_configuration_checks(argument):
    values = parse(FLAGS, argument)
    with pytest.raises(ValueError, match="`learning_rate`") as caught:
        FLAGS.replace(values, Config())
    message = config_flags.describe_error(caught.value, values)
    value = float(argument.partition("=")[2])
    assert message == f"`--learning_rate` must be > 0. Received: --learning_rate={value}"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("`every` must be >= 1."), "`--patch_every` must be >= 1."),
        (ValueError("`layers` of `vgg16`"), "`--layers` of `vgg16`"),
        (ValueError("`flip=True` needs `seed=3`"), "`--flip` needs `--seed=3`"),
        (ValueError("`unknown` must be >= 1"), "`unknown` must be >= 1"),
        (ValueError("layers and layers=3"), "layers and layers=3"),
        # `layers` is a folder here.
        (FileNotFoundError("`layers` does not exist"), "`layers` does not exist"),
        (FileExistsError("`out` exists; or `flip=True`"), "`out` exists; or `--flip`"),
    ],
)
def test_messages_name_the_flags(error, message):
    assert message_of(error) == message


def test_a_flag_of_that_name_goes_before_a_renamed_one():
    own = config_flags.ConfigFlags(
        Config, fields=["tiny", "rate"], names={"tiny": "rate", "rate": "r"}
    )
    values = parse(own)
    assert config_flags.describe_error(ValueError("`rate`"), values) == "`--rate`"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, TypeError, "no flag can be of the type of `optimizer`"),
        ({"skip": ["optimiser"]}, ValueError, "not a field of the configuration: optimiser"),
        ({"fields": ["schedule.step"]}, ValueError, "not a field of .*: schedule.step"),
        ({"names": {"speed": "rate"}}, ValueError, "not a field of the configuration: speed"),
    ],
)
def test_what_can_not_be_made(arguments, error, message):
    with pytest.raises(error, match=message):
        config_flags.ConfigFlags(Config, **arguments).define(flags.FlagValues())


def test_every_field_must_be_described():
    @dataclasses.dataclass(frozen=True)
    class Silent:
        """Nothing of its field."""

        field: int = 0

    with pytest.raises(ValueError, match="the docstring's Attributes must have `field`"):
        config_flags.ConfigFlags(Silent).define(flags.FlagValues())


def _commands():
    """Yield the module of every command that has flags."""
    for name in main.COMMANDS:
        module = main._module(name)
        subcommands = getattr(module, "SUBCOMMANDS", ())
        yield from [f"{name}_{each}" for each in subcommands] or [name]


# A genitive or a pointer to a neighbour says nothing where it stands alone.
FRAGMENTS = ("Of ", "The same", "Whose ", "As ", "With ", "Its ", "Same ")


@pytest.mark.parametrize("command", list(_commands()))
def test_every_help_can_be_read_alone(command):
    values = main._flag_values(main._module(command))
    for name in values:
        text = re.sub(r"^<[^>]*>: ", "", values[name].help)  # what absl puts before choices
        assert re.match(r"[A-Z][A-Za-z'-]*[ ,:;.]", text), f"--{name}: {text}"
        assert text.endswith("."), f"--{name}: {text}"
        assert not text.startswith(FRAGMENTS), f"--{name}: {text}"
        assert len(text.split()) > 1, f"--{name}: {text}"


BINARIES = pathlib.Path(main.__file__).parent
SOURCES = [path for path in sorted(BINARIES.rglob("*.py")) if path.stem != "config_flags"]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_no_help_retypes_a_default(path):
    """Neither as "(default: 3)" nor as "(3)"; config_flags writes it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert not re.search(r"\(default\b|\([\d.]+\)[.:;]", node.value), node.value


CONFIGURATIONS = [
    *(TransferConfig, TextureConfig, InversionConfig),
    *(StyleTraining, TextureTraining, SuperresTraining, LoopConfig),
]


@pytest.mark.parametrize("cls", CONFIGURATIONS, ids=lambda cls: cls.__name__)
def test_no_text_of_a_field_retypes_its_default(cls):
    texts = config_flags._texts(cls)
    for field in dataclasses.fields(cls):
        for note in config_flags.default_note(field.default):
            value = re.escape(note.removeprefix("default: "))
            assert not re.search(rf"(?i)default\S* (is )?{value}\b|\({value}\)", texts[field.name])
