"""Settings that are one of a few words: lower case wherever they are shown, read in any case."""

from enum import Enum
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from nightjar.settings.hints import hint


class Choice(Enum):
    """One of a few words.

    A configuration writes the member's name in lower case. What is stored, in tables and hashes, is its name or its
    value, which stay as they are.
    """

    @property
    def word(self) -> str:
        """How configurations, messages and documentation write it."""
        return self.name.lower()

    def __str__(self) -> str:
        """The word."""
        return self.word

    @classmethod
    def words(cls) -> list[str]:
        """The words of all members."""
        return [member.word for member in cls]

    @classmethod
    def read(cls, value: object) -> "Choice":
        """The member that a word names, in upper or lower case.

        Raises:
            PydanticCustomError: there is none; names the nearest and all of them.
        """
        if isinstance(value, cls):
            return value
        for member in cls:
            if isinstance(value, str) and value.lower() == member.word:
                return member
        context = {"hint": hint(value, cls.words()), "expected": f"one of [{', '.join(cls.words())}]"}
        raise PydanticCustomError("choice", "expected {expected}", context)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        """Validation by `read`."""
        return core_schema.no_info_plain_validator_function(cls.read)

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The words."""
        return {"type": "string", "enum": cls.words()}
