"""A softphone in Python: signs an agent in, takes one call, shows the acknowledgement and one figure.

    softphone.py HOST:PORT TOKEN SITE AGENT

Needs grpcio, and on its path the stubs that grpcio-tools makes of proto/.
"""

import sys
import time
import uuid

import grpc
from pegcount.v1 import facts_pb2 as f, ingest_pb2 as i, kpi_pb2 as k, ingest_pb2_grpc, kpi_pb2_grpc

address, token, site, agent = sys.argv[1:]
auth = [("authorization", f"Bearer {token}")]
channel = grpc.insecure_channel(address)
now = lambda: time.time_ns() // 1000
did = lambda **action: f.AgentFact(agent=agent, **action)
leg = lambda **step: did(leg=f.Leg(contact="call-1", leg="1", channel=f.CHANNEL_VOICE, direction=f.DIRECTION_INBOUND, **step))
shift = [did(signed_in={}), did(ready={}), leg(ringing={}), leg(answered={}), leg(ended=f.LegEnded(by=f.PARTY_CUSTOMER))]

start = now()
source = i.Source(site=site, source=f"softphone-{agent}", epoch=uuid.uuid4().bytes)
facts = [i.Fact(seq=n, source_time_us=start + n, agent=fact) for n, fact in enumerate(shift, 1)]
request = i.SubmitFactsRequest(source=source, batch=i.FactBatch(facts=facts), client_time_us=now())
ack = ingest_pb2_grpc.IngestServiceStub(channel).SubmitFacts(request, metadata=auth).ack
print(f"acknowledged up to seq {ack.last_committed_seq} at log position {ack.position}, {len(ack.refusals)} refused")

quarter = 15 * 60 * 1_000_000
range_us = dict(from_us=start // quarter * quarter - quarter, to_us=start // quarter * quarter + 2 * quarter)
query = k.QueryKpiRequest(site=site, by=[k.DIMENSION_AGENT], agents=[agent], min_position=ack.position, **range_us)
table = kpi_pb2_grpc.KpiServiceStub(channel).QueryKpi(query, metadata=auth)
handled = [column.name for column in table.columns].index("handled")
print(f"handled by {agent}: {sum(row.values[handled].amount for row in table.rows)}")
