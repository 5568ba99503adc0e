"""What the card of a model has to say that no record can tell."""

from dataclasses import field

from nightjar.settings.validation import settings


@settings
class ModelCard:
    """What a project's models are for, and who answers for them.

    It decides nothing: after an edit of it nothing is trained or built again. The card of each version states it. After
    Mitchell et al. (2019), Model Cards for Model Reporting.

    Attributes:
        owner: who answers for the models, such as a team.
        contact: where to ask.
        purpose: what the scores are for: the decision that they are part of.
        users: who decides by them.
        out_of_scope: uses for which the models were not made, and must not be taken.
        considerations: what else is to be weighed, such as harm to the people that decisions are about, and what is
            done about it.
    """

    owner: str = ""
    contact: str = ""
    purpose: str = ""
    users: list[str] = field(default_factory=list)
    out_of_scope: list[str] = field(default_factory=list)
    considerations: list[str] = field(default_factory=list)
