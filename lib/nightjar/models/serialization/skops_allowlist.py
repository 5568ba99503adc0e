"""The types that a skops file of ours may name, and the check that it names no other."""

from typing import Any, Final, cast

from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

from nightjar.errors import ModelError
from nightjar.models.estimators.rule import RuleOfThumb
from nightjar.models.predictor import Classifier, FittedPreparation, Regressor
from nightjar.models.serialization.estimator_types import ESTIMATOR_PARTS, ESTIMATOR_TYPES
from nightjar.models.serialization.skops_files import read_nodes, refusing_other_files, type_name, with_permanent_names
from nightjar.models.serialization.skops_io import skops_io
from nightjar.models.serialization.tree_checks import require_sound_trees
from nightjar.models.stored_types import STORED_TRANSFORMERS

PREPARATION_TYPES: Final = frozenset(
    {
        *(type_name(one) for one in STORED_TRANSFORMERS.values()),
        "sklearn.compose._column_transformer.ColumnTransformer",
        "sklearn.decomposition._pca.PCA",
        "sklearn.ensemble._iforest.IsolationForest",
        "sklearn.impute._base.MissingIndicator",
        "sklearn.impute._base.SimpleImputer",
        "sklearn.impute._iterative.IterativeImputer",
        "sklearn.impute._iterative._ImputerTriplet",
        "sklearn.impute._knn.KNNImputer",
        "sklearn.linear_model._bayes.BayesianRidge",
        "sklearn.pipeline.FeatureUnion",
        "sklearn.pipeline.Pipeline",
        "sklearn.preprocessing._data.MinMaxScaler",
        "sklearn.preprocessing._data.PowerTransformer",
        "sklearn.preprocessing._data.RobustScaler",
        "sklearn.preprocessing._data.StandardScaler",
        "sklearn.preprocessing._encoders.OneHotEncoder",
        "sklearn.preprocessing._encoders.OrdinalEncoder",
        "sklearn.preprocessing._function_transformer.FunctionTransformer",
        "sklearn.tree._classes.ExtraTreeRegressor",
        "sklearn.tree._tree.Tree",
    }
)
"""The types of preparations, beside plain values and arrays."""

ALLOWED_TYPES: Final = (
    ESTIMATOR_TYPES
    | ESTIMATOR_PARTS
    | PREPARATION_TYPES
    | {
        "builtins.bool",
        "builtins.dict",
        "builtins.int",
        "builtins.list",
        "builtins.slice",
        "builtins.str",
        "builtins.tuple",
        "numpy.dtype",
        "numpy.float64",
        "numpy.int64",
        "numpy.ndarray",
        "numpy.random._generator.Generator",
        "numpy.random.mtrand.RandomState",
        "numpy.uint64",
    }
)
"""Every type in our predictors. skops by itself trusts most of scikit-learn, and functions of SciPy."""

ALLOWED_LOADERS: Final = frozenset(
    {
        "CachedNode",
        "DTypeNode",
        "DictNode",
        "JsonNode",
        "ListNode",
        "LossNode",
        "NdArrayNode",
        "ObjectNode",
        "RandomGeneratorNode",
        "RandomStateNode",
        "SliceNode",
        "TreeNode",
        "TupleNode",
        "TypeNode",
    }
)
"""The skops loaders that may build them. Others call functions and methods, which none of our predictors holds."""


def dump(part: object) -> bytes:
    """A fitted preparation or estimator as the content of a skops file.

    Raises:
        ModelError: it holds types that could not be opened again.
    """
    content = with_permanent_names(skops_io.dumps(part))
    require_allowed_types(content, type(part).__name__)
    return content


def open_preparation(content: bytes, name: str) -> FittedPreparation:
    """The fitted preparation in a skops file whose types were checked.

    Raises:
        ModelError: it cannot be opened, or is something else.
    """
    preparation = _open(content, name)
    if not isinstance(preparation, ColumnTransformer | Pipeline | RuleOfThumb):
        raise ModelError(f"{name} holds a {type(preparation).__name__}: expected a Pipeline.")
    return preparation


def open_estimator(content: bytes, name: str) -> Classifier | Regressor:
    """The fitted estimator in a skops file whose types were checked.

    Raises:
        ModelError: it cannot be opened, or is none of `ESTIMATOR_TYPES`.
    """
    estimator = _open(content, name)
    if type_name(type(estimator)) not in ESTIMATOR_TYPES:
        raise ModelError(f"{name} holds a {type(estimator).__name__}, which is none of our estimators.")
    return cast("Classifier | Regressor", estimator)


def require_allowed_types(content: bytes, name: str) -> None:
    """Check every type a skops file names, without creating any.

    Raises:
        ModelError: a type is not among `ALLOWED_TYPES`, its loader is not among `ALLOWED_LOADERS`, or this is no skops
            file.
    """
    nodes = read_nodes(content, name)
    types = {f"{node.get('__module__')}.{node.get('__class__')}" for node in nodes}
    loaders = {str(node.get("__loader__")) for node in nodes}
    foreign = sorted(types - ALLOWED_TYPES) + sorted(loaders - ALLOWED_LOADERS)
    # skops also lists types that are named elsewhere, such as a random generator's algorithm.
    if not foreign:
        with refusing_other_files(name):
            foreign = sorted(set(skops_io.get_untrusted_types(data=content)) - ALLOWED_TYPES)
    if foreign:
        raise ModelError(f"{name} holds {', '.join(foreign)}, which no model of ours is made of.")


def _open(content: bytes, name: str) -> Any:
    try:
        part = skops_io.loads(content, trusted=sorted(ALLOWED_TYPES))
    except Exception as error:
        raise ModelError(f"{name} cannot be opened: {error!r}.") from error
    require_sound_trees(part, name)
    return part
