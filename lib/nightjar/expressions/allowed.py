"""What an expression may contain. All else is refused, so that a new version of Spark adds nothing by itself."""

ALLOWED = (
    "An expression holds columns, constants, operators, CASE, CAST and those of Spark's functions that give one value "
    "for the values of one row, the same at any time, in any session and on any machine (docs/projects.md, "
    "Expressions)."
)

_NODES = """
    UnresolvedAttribute UnresolvedExtractValue UnresolvedFunction Literal Cast CaseWhen CreateNamedStruct
    LambdaFunction UnresolvedNamedLambdaVariable
    Add Subtract Multiply Divide IntegralDivide Remainder UnaryMinus UnaryPositive
    BitwiseAnd BitwiseOr BitwiseXor BitwiseNot ShiftLeft ShiftRight ShiftRightUnsigned
    And Or Not EqualTo EqualNullSafe GreaterThan GreaterThanOrEqual LessThan LessThanOrEqual In IsNull IsNotNull
    Like ILike LikeAll LikeAny NotLikeAll NotLikeAny RLike
    Concat Overlay StringLocate StringTrim StringTrimBoth StringTrimLeft StringTrimRight Substring
    TimestampAdd TimestampDiff
"""
NODES = frozenset(_NODES.split())
"""Classes of nodes in the tree of Spark's parser."""

_FUNCTIONS = """
    abs acos acosh asin asinh atan atan2 atanh bin bround cbrt ceil ceiling conv cos cosh cot csc degrees div e exp
    expm1 factorial floor greatest hex hypot least ln log log10 log1p log2 mod negative pi pmod positive pow power
    radians rint round sec sign signum sin sinh sqrt tan tanh try_add try_divide try_mod try_multiply try_subtract
    unhex width_bucket

    bit_count bit_get getbit shiftleft shiftright shiftrightunsigned

    and between case coalesce contains decode endswith equal_null if ifnull in isnan isnotnull isnull like ilike nanvl
    not nullif nullifzero nvl nvl2 or regexp regexp_like rlike startswith when zeroifnull

    ascii base64 bit_length btrim char char_length character_length chr concat concat_ws elt encode
    find_in_set format_number format_string initcap instr is_valid_utf8 lcase left len length levenshtein locate lower
    lpad ltrim make_valid_utf8 mask octet_length overlay position printf quote regexp_count regexp_extract
    regexp_extract_all regexp_instr regexp_replace regexp_substr repeat replace right rpad rtrim soundex space split
    split_part str_to_map substr substring substring_index translate trim try_validate_utf8 ucase unbase64 upper
    url_decode url_encode parse_url try_parse_url try_url_decode

    add_months convert_timezone date_add date_diff date_format date_from_unix_date date_part date_sub date_trunc dateadd
    datediff datepart day dayname dayofmonth dayofweek dayofyear extract from_unixtime from_utc_timestamp hour last_day
    make_date make_dt_interval make_interval make_timestamp make_timestamp_ltz make_timestamp_ntz make_ym_interval
    minute month monthname months_between next_day quarter second timestamp_micros timestamp_millis timestamp_seconds
    to_date to_timestamp to_timestamp_ltz to_timestamp_ntz to_unix_timestamp to_utc_timestamp trunc try_make_interval
    try_make_timestamp try_make_timestamp_ltz try_make_timestamp_ntz try_to_date try_to_timestamp unix_date unix_micros
    unix_millis unix_seconds unix_timestamp weekday weekofyear year

    bigint binary boolean date decimal double float int smallint string timestamp tinyint to_binary to_char to_number
    to_varchar try_to_binary try_to_number

    crc32 hash md5 sha sha1 sha2 xxhash64

    get_json_object json_array_length json_object_keys to_json

    array array_append array_compact array_contains array_distinct array_except array_insert array_intersect array_join
    array_max array_min array_position array_prepend array_remove array_repeat array_size array_sort array_union
    arrays_overlap arrays_zip cardinality element_at flatten get map map_concat map_contains_key map_entries
    map_from_arrays map_from_entries map_keys map_values named_struct reverse sequence size slice sort_array struct
    try_element_at

    aggregate exists filter forall map_filter map_zip_with reduce transform transform_keys transform_values zip_with
"""
FUNCTIONS = frozenset(_FUNCTIONS.split())
"""Names of functions: of numbers, bits, conditions, texts, times, types, hashes, JSON, arrays, maps and structs."""

NEEDS_ARGUMENT = frozenset({"unix_timestamp"})
"""Names of functions that return the current time if they are called without an argument."""

REFUSED_TYPES = ("collate", "variant", "geometry", "geography", "time(")
"""Parts of names of types that a CAST may not have."""

_LEAVES = """
    AttributeReference Literal NamedLambdaVariable CommonExpressionRef Pi EulerNumber CreateArray CreateMap
    CreateNamedStruct
"""
LEAVES = frozenset(_LEAVES.split())
"""Classes of allowed leaves of an expression after Spark has resolved its names: `current_date` needs no brackets, and
is a function where there is no column of that name."""

WORDS = {
    "Alias": "a name for its value (AS)",
    "AggregateExpression": "an aggregate (that is a feature of a group)",
    "Collate": "a collation",
    "Exists": "a subquery",
    "ExpressionWithUnresolvedIdentifier": "IDENTIFIER(...)",
    "InSubquery": "a subquery",
    "ListQuery": "a subquery",
    "NamedArgumentExpression": "an argument with a name",
    "NamedParameter": "a parameter",
    "PosParameter": "a parameter",
    "ScalarSubquery": "a subquery",
    "UnresolvedStar": "a star",
    "UnresolvedWindowExpression": "a window over several rows",
    "WindowExpression": "a window over several rows",
}
"""Class of a node -> its name in messages."""
